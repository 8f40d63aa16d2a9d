// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Linux;
using Containerd.Actors.Linux.Files;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Storage.Diff.Tar;

namespace Containerd.Actors.Storage.Diff;

/// <summary>Extracts a layer into a directory and tells its diff id.</summary>
/// <remarks>
/// Three threads: one decompresses, one hashes, the caller's parses and writes. The layer is hostile input; nothing is written
/// outside of the target whatever it holds. When a layer is refused the target holds a part of it: the caller drops the target.
/// </remarks>
public static class LayerApplier
{
    /// <summary>Extracts a layer. Blocks until done; the stream is read to its end and left open.</summary>
    /// <param name="compressed">The blob; an <see cref="Content.ArrivingStream"/> while it still comes.</param>
    /// <param name="mediaType">Its media type, which says how it is compressed.</param>
    /// <param name="target">Where to.</param>
    /// <param name="limits">Bounds; meeting one is refused as resource exhausted and names its key.</param>
    /// <param name="cancellation">Ends the extraction between two buffers; a blocked read is interrupted only where the blob still comes.</param>
    /// <exception cref="RefusedException">The archive is invalid or too large, or an entry cannot be written; the text says which and why.</exception>
    public static AppliedLayer Apply(
        Stream compressed,
        string mediaType,
        ApplyTarget target,
        LayerLimits limits,
        CancellationToken cancellation = default)
    {
        LayerCompression? compression = LayerCompressions.Of(mediaType);
        try
        {
            using DirectoryHandle root = DirectoryHandle.Open(target.Directory);
            using LayerUnpacker unpacker = new(root, target);
            using LayerFeed feed = new(compressed, compression, limits, cancellation);
            TarReader reader = new(unpacker, limits);
            feed.ReadAll(bytes =>
            {
                cancellation.ThrowIfCancellationRequested();
                reader.Feed(bytes);
            });
            reader.Complete();
            unpacker.Complete();
            return new AppliedLayer(feed.DiffId, feed.Size) { Inherited = unpacker.Inherited() };
        }
        catch (LinuxException failure)
        {
            throw new RefusedException(failure.Error.ToError().While("failed to extract layer"), failure);
        }
    }
}
