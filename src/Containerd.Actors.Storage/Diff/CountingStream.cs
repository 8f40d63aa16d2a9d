// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Storage.Diff;

/// <summary>Counts what is read from a stream, and can put the first bytes back. Leaves the stream open.</summary>
internal sealed class CountingStream(Stream source) : Stream
{
    private byte[] _returned = [];

    /// <summary>Bytes read from the source.</summary>
    public long Count { get; private set; }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

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

        int read = source.Read(buffer);
        Count += read;
        return read;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
