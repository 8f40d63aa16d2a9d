// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Content;
using Containerd.Actors.Storage.Content;

namespace Containerd.Actors.Storage.Diff;

/// <summary>Counts what is taken from a stream, and can put the first bytes back. Leaves the stream open.</summary>
/// <remarks>Small reads, such as a decompressor's, are served from a buffer: each would be a system call otherwise.</remarks>
internal sealed class CountingStream(Stream source) : ReadStream
{
    private const int BufferSize = 128 << 10;

    private readonly byte[] _buffer = ContentBuffers.Rent(BufferSize);
    private byte[] _returned = [];
    private int _start;
    private int _end;
    private bool _disposed;

    /// <summary>Bytes taken, what was put back not counted again.</summary>
    public long Count { get; private set; }

    /// <summary>The next reads begin with these bytes again.</summary>
    public void PutBack(ReadOnlySpan<byte> bytes) => _returned = bytes.ToArray();

    public override int Read(Span<byte> buffer)
    {
        if (_returned.Length > 0 && buffer.Length > 0)
        {
            int part = Math.Min(_returned.Length, buffer.Length);
            _returned.AsSpan(0, part).CopyTo(buffer);
            _returned = _returned[part..];
            return part;
        }

        if (_start == _end && buffer.Length >= BufferSize)
        {
            int direct = source.Read(buffer);
            Count += direct;
            return direct;
        }

        if (_start == _end)
        {
            (_start, _end) = (0, source.Read(_buffer, 0, BufferSize));
        }

        int length = Math.Min(_end - _start, buffer.Length);
        _buffer.AsSpan(_start, length).CopyTo(buffer);
        _start += length;
        Count += length;
        return length;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_disposed)
        {
            _disposed = true;
            ContentBuffers.Return(_buffer);
        }

        base.Dispose(disposing);
    }
}
