// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Messages;

namespace Containerd.Actors.Protocol.Content;

/// <summary>What can be asked of blobs that fit into memory.</summary>
public static class DocumentQueries
{
    /// <summary>
    /// All bytes of a blob. Whether the caller may see it is decided before, by its namespace. Refused as not found when it is not on
    /// disk, and as exhausted when it is longer than allowed.
    /// </summary>
    public sealed record Read(Digest Digest, int BytesMax) : IRequest<ReadOnlyMemory<byte>>;
}
