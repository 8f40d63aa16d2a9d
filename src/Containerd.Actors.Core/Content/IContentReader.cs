// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Oci.Images;

namespace Containerd.Actors.Core.Content;

/// <summary>Reads the bytes of blobs. It knows nothing of namespaces: whether a caller may see a blob is decided before.</summary>
public interface IContentReader
{
    /// <summary>Opens a blob at an offset; it stays readable when it is removed meanwhile.</summary>
    /// <exception cref="Protocol.Errors.RefusedException">There is no such blob, or the offset lies behind its end.</exception>
    Stream OpenRead(Digest digest, long offset);
}
