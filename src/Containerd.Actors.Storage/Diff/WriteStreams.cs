// SPDX-License-Identifier: Apache-2.0

using System.Security.Cryptography;
using Containerd.Actors.Storage.Content;

namespace Containerd.Actors.Storage.Diff;

/// <summary>A stream that can only be written.</summary>
internal abstract class WriteStream : Stream
{
    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public abstract override void Write(ReadOnlySpan<byte> buffer);
}

/// <summary>Appends to an ingest.</summary>
internal sealed class IngestStream(Ingest ingest) : WriteStream
{
    public override void Write(ReadOnlySpan<byte> buffer) => ingest.Write(buffer);
}

/// <summary>Hashes what passes through. Leaves the target open.</summary>
internal sealed class HashingStream(Stream target, IncrementalHash hash) : WriteStream
{
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        hash.AppendData(buffer);
        target.Write(buffer);
    }
}
