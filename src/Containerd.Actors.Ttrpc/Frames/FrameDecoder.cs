// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Ttrpc.Frames;

/// <summary>Cuts a stream of bytes, arriving in pieces of any size, into frames. Does no I/O; not thread safe.</summary>
/// <remarks>
/// Fill what <see cref="GetMemory"/> returns, tell <see cref="Advance"/> how much, then take frames with
/// <see cref="TryRead"/> until it says no. At most one whole frame is buffered: data of oversized frames is
/// dropped as it arrives.
/// </remarks>
public sealed class FrameDecoder
{
    private const int InitialSize = 4096;

    private byte[] _buffer = new byte[InitialSize];
    private int _start;
    private int _end;
    private long _discarding;

    /// <summary>Whether bytes of an unfinished frame have been seen: an end of input here is a truncation.</summary>
    public bool IsInsideFrame => _end > _start || _discarding > 0;

    /// <summary>Room for the next bytes, never empty. Data returned by <see cref="TryRead"/> is invalid afterwards.</summary>
    public Memory<byte> GetMemory()
    {
        var pending = _end - _start;
        var needed = InitialSize;
        if (pending >= FrameHeader.Size)
        {
            var header = FrameHeader.Read(_buffer.AsSpan(_start));
            if (!header.IsOversized)
            {
                needed = Math.Max(needed, FrameHeader.Size + (int)header.Length);
            }
        }

        if (_buffer.Length < needed || (pending == 0 && _buffer.Length > InitialSize))
        {
            // A large frame's buffer is not kept: most frames of a connection are small.
            var replaced = new byte[needed];
            _buffer.AsSpan(_start, pending).CopyTo(replaced);
            (_buffer, _start, _end) = (replaced, 0, pending);
        }
        else if (_start > 0)
        {
            _buffer.AsSpan(_start, pending).CopyTo(_buffer);
            (_start, _end) = (0, pending);
        }

        return _buffer.AsMemory(_end);
    }

    /// <summary>Takes over that many bytes of what <see cref="GetMemory"/> returned.</summary>
    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _buffer.Length - _end);
        _end += count;
    }

    /// <summary>
    /// The next whole frame. An oversized frame is returned as soon as its header is there, without data; its
    /// data is skipped.
    /// </summary>
    /// <param name="header">The header.</param>
    /// <param name="data">The data, valid until the next <see cref="GetMemory"/>.</param>
    public bool TryRead(out FrameHeader header, out ReadOnlyMemory<byte> data)
    {
        header = default;
        data = default;
        var skipped = (int)Math.Min(_discarding, _end - _start);
        _start += skipped;
        _discarding -= skipped;
        if (_end - _start < FrameHeader.Size)
        {
            return false;
        }

        var next = FrameHeader.Read(_buffer.AsSpan(_start));
        if (next.IsOversized)
        {
            _start += FrameHeader.Size;
            _discarding = next.Length;
            header = next;
            return true;
        }

        var length = (int)next.Length;
        if (_end - _start - FrameHeader.Size < length)
        {
            return false;
        }

        header = next;
        data = _buffer.AsMemory(_start + FrameHeader.Size, length);
        _start += FrameHeader.Size + length;
        return true;
    }
}
