// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Protocol.Errors;
using Containerd.Types.Transfer;
using Google.Protobuf;

namespace Containerd.Actors.Grpc.Streaming;

/// <summary>Bytes for a client that reads them from a stream. Disposing it closes the stream, by which the client knows that it has all.</summary>
/// <remarks>Writes wait for the client's grants. One writer at a time.</remarks>
public sealed class OutgoingByteStream(LiveStream stream) : Stream
{
    /// <summary>Bytes of the largest message.</summary>
    public const int ChunkBytesMax = 32768;

    private long _granted;

    /// <inheritdoc />
    public override bool CanRead => false;

    /// <inheritdoc />
    public override bool CanSeek => false;

    /// <inheritdoc />
    public override bool CanWrite => true;

    /// <inheritdoc />
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc />
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <inheritdoc />
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (buffer.Length > 0)
        {
            while (_granted == 0)
            {
                WindowUpdate grant = await stream.ReceiveAsync(WindowUpdate.Parser, cancellationToken).ConfigureAwait(false)
                    ?? throw new RefusedException(Error.Unavailable($"stream \"{stream.Id}\": the reader went away"));
                _granted += Math.Max(grant.Update, 0);
            }

            int count = (int)Math.Min(Math.Min(_granted, ChunkBytesMax), buffer.Length);
            await stream.SendAsync(new Data { Data_ = ByteString.CopyFrom(buffer.Span[..count]) }, cancellationToken).ConfigureAwait(false);
            _granted -= count;
            buffer = buffer[count..];
        }
    }

    /// <inheritdoc />
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc />
    public override void Write(byte[] buffer, int offset, int count) =>
        WriteAsync(buffer.AsMemory(offset, count), CancellationToken.None).AsTask().GetAwaiter().GetResult();

    /// <inheritdoc />
    public override void Flush()
    {
    }

    /// <inheritdoc />
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc />
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc />
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc />
    protected override void Dispose(bool disposing)
    {
        stream.Close();
        base.Dispose(disposing);
    }
}
