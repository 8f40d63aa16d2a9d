// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Registry.Fetching;

/// <summary>A blob in pieces, first to last, from an offset on. They are not verified: only whoever reads them all can.</summary>
public interface IBlobPieces : IAsyncDisposable
{
    /// <summary>The next piece; null behind the last. One call at a time; earlier pieces need not be disposed yet, but for two of them.</summary>
    /// <exception cref="Protocol.Errors.RefusedException">The rest cannot be had.</exception>
    ValueTask<BlobPiece?> NextAsync(CancellationToken cancellationToken);
}

/// <summary>Some bytes of a blob. Disposing gives their buffer back; one that may still be read is left undisposed, and costs only its memory.</summary>
public sealed class BlobPiece : IDisposable
{
    private readonly byte[] _buffer;
    private readonly int _length;
    private Action<byte[]>? _giveBack;

    internal BlobPiece(byte[] buffer, int length, Action<byte[]> giveBack) => (_buffer, _length, _giveBack) = (buffer, length, giveBack);

    /// <summary>The bytes, until it is disposed.</summary>
    public ReadOnlyMemory<byte> Bytes => _buffer.AsMemory(0, _length);

    /// <inheritdoc />
    public void Dispose() => Interlocked.Exchange(ref _giveBack, null)?.Invoke(_buffer);
}
