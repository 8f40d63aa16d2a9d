// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Oci.Images;

namespace Containerd.Actors.Storage.Content;

/// <summary>Where whole, verified blobs lie: files of this node, or another process. Safe for use by many threads; calls may block.</summary>
public interface IBlobs
{
    /// <summary>Size of a blob in bytes; null if it is not here.</summary>
    long? TrySize(Digest digest);

    /// <summary>Opens a blob for reading from an offset. It stays readable when the blob is deleted meanwhile.</summary>
    /// <exception cref="Protocol.Errors.RefusedException">
    /// The blob is missing, or the offset lies behind its end; of a blob elsewhere the first read may say so instead.
    /// </exception>
    Stream OpenRead(Digest digest, long offset);

    /// <summary>Removes a blob; false if there was none.</summary>
    bool Delete(Digest digest);

    /// <summary>Every blob with its size, in digest order.</summary>
    IEnumerable<(Digest Digest, long Size)> List();

    /// <summary>Makes a verified, synchronised file the blob, which is durable afterwards; false if the blob was there already.</summary>
    /// <remarks>The file may be taken away or left alone: its owner removes what is left of it.</remarks>
    bool Publish(string file, Digest digest, long size);
}
