// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Content;

namespace Containerd.Actors.Registry.Fetching;

/// <summary>The pieces of one stream.</summary>
/// <param name="stream">The stream, which is disposed with this.</param>
/// <param name="rest">Bytes that it will bring.</param>
public sealed class StreamPieces(Stream stream, long rest) : IBlobPieces
{
    private const int PieceBytes = 1 << 20;

    private readonly int _size = (int)Math.Clamp(rest, 1, PieceBytes);

    /// <inheritdoc />
    public async ValueTask<BlobPiece?> NextAsync(CancellationToken cancellationToken)
    {
        byte[] buffer = ContentBuffers.Rent(_size);
        int count = 0;
        try
        {
            count = await stream.ReadAtLeastAsync(buffer.AsMemory(0, _size), _size, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            if (count == 0)
            {
                ContentBuffers.Return(buffer);
            }
        }

        return count == 0 ? null : new BlobPiece(buffer, count, static used => ContentBuffers.Return(used));
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync() => stream.DisposeAsync();
}
