// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Storage.Content;

namespace Containerd.Actors.Storage.Archives;

/// <summary>A stream whose first bytes were looked at, and whose bytes are counted.</summary>
internal sealed class SniffedStream(Stream source, ReadOnlyMemory<byte> start) : ReadStream
{
    private ReadOnlyMemory<byte> _start = start;

    /// <summary>Bytes handed out.</summary>
    public long Count { get; private set; }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int read = TakeStart(buffer.Span);
        if (read == 0)
        {
            read = await source.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        }

        Count += read;
        return read;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(Span<byte> buffer)
    {
        int read = TakeStart(buffer);
        read = read > 0 ? read : source.Read(buffer);
        Count += read;
        return read;
    }

    private int TakeStart(Span<byte> buffer)
    {
        int count = Math.Min(buffer.Length, _start.Length);
        _start.Span[..count].CopyTo(buffer);
        _start = _start[count..];
        return count;
    }
}
