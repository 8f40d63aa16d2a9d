// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Protocol.Errors;
using Containerd.Types.Transfer;

namespace Containerd.Actors.Grpc.Streaming;

/// <summary>The bytes that a client sends over a stream. Ends where the client says that no more will come; disposing it closes the stream.</summary>
/// <remarks>The client may send what it was granted and no more: a new grant goes out whenever less than <see cref="Window"/> is left.</remarks>
public sealed class IncomingByteStream(LiveStream stream) : Stream
{
    /// <summary>Bytes of one grant.</summary>
    public const int Window = 65536;

    private ReadOnlyMemory<byte> _data;
    private long _granted;
    private bool _isAtEnd;

    /// <inheritdoc />
    public override bool CanRead => true;

    /// <inheritdoc />
    public override bool CanSeek => false;

    /// <inheritdoc />
    public override bool CanWrite => false;

    /// <inheritdoc />
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc />
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <inheritdoc />
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (_data.IsEmpty && !_isAtEnd && buffer.Length > 0)
        {
            await GrantAsync(cancellationToken).ConfigureAwait(false);
            if (await stream.ReceiveAsync(Data.Parser, cancellationToken).ConfigureAwait(false) is not { } message)
            {
                _isAtEnd = true;
                break;
            }

            _granted -= message.Data_.Length;
            if (_granted < 0)
            {
                throw new RefusedException(Error.Invalid($"stream \"{stream.Id}\": {-_granted} bytes more than were granted"));
            }

            _data = message.Data_.Memory;
        }

        int count = Math.Min(buffer.Length, _data.Length);
        _data[..count].CopyTo(buffer);
        _data = _data[count..];
        return count;
    }

    /// <inheritdoc />
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc />
    public override int Read(byte[] buffer, int offset, int count) =>
        ReadAsync(buffer.AsMemory(offset, count), CancellationToken.None).AsTask().GetAwaiter().GetResult();

    /// <inheritdoc />
    public override void Flush()
    {
    }

    /// <inheritdoc />
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc />
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc />
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc />
    protected override void Dispose(bool disposing)
    {
        stream.Close();
        base.Dispose(disposing);
    }

    // A client that has sent everything may be gone before the last grant reaches it; what it sent is still to be read.
    private async Task GrantAsync(CancellationToken cancellationToken)
    {
        if (_granted >= Window)
        {
            return;
        }

        try
        {
            await stream.SendAsync(new WindowUpdate { Update = Window }, cancellationToken).ConfigureAwait(false);
            _granted += Window;
        }
        catch (RefusedException)
        {
            // The next message tells whether the client said that it was done.
        }
    }
}
