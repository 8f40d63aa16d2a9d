// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Ttrpc.Calls;
using Google.Protobuf;

namespace Containerd.Actors.Ttrpc;

/// <summary>One end of an open stream: messages as bytes, in order, in both directions.</summary>
/// <remarks>
/// Arriving messages wait in a bounded queue (4,096 messages, 16 MiB). A consumer that lets it fill loses the stream
/// with ResourceExhausted; other streams of the connection are not affected.
/// </remarks>
public sealed class TtrpcStream : IDisposable
{
    private readonly Func<ReadOnlyMemory<byte>, CancellationToken, Task> _send;
    private readonly Func<CancellationToken, Task> _closeSend;
    private readonly Action _abandon;
    private int _sendClosed;

    internal TtrpcStream(
        MessageQueue queue,
        Func<ReadOnlyMemory<byte>, CancellationToken, Task> send,
        Func<CancellationToken, Task> closeSend,
        Action abandon)
    {
        (Queue, _send, _closeSend, _abandon) = (queue, send, closeSend, abandon);
    }

    internal MessageQueue Queue { get; }

    /// <summary>Sends one message.</summary>
    /// <exception cref="InvalidOperationException">This end has been closed.</exception>
    /// <exception cref="TtrpcStatusException">ResourceExhausted: more than 4 MiB.</exception>
    /// <exception cref="TtrpcClosedException">The connection ended.</exception>
    public Task SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancellation = default) =>
        Volatile.Read(ref _sendClosed) == 0
            ? _send(message, cancellation)
            : throw new InvalidOperationException("the stream is closed for sending");

    /// <summary>Sends one message.</summary>
    public Task SendAsync(IMessage message, CancellationToken cancellation = default) =>
        SendAsync(message.ToByteArray(), cancellation);

    /// <summary>Says that no message follows from this end; receiving goes on. A second call does nothing.</summary>
    public Task CloseSendAsync(CancellationToken cancellation = default) =>
        Interlocked.Exchange(ref _sendClosed, 1) == 0 ? _closeSend(cancellation) : Task.CompletedTask;

    /// <summary>The next message, or null after the last.</summary>
    /// <exception cref="TtrpcStatusException">The other end failed the stream.</exception>
    /// <exception cref="TtrpcClosedException">The connection ended.</exception>
    public ValueTask<byte[]?> ReceiveAsync(CancellationToken cancellation = default) => Queue.TakeAsync(cancellation);

    /// <summary>The next message decoded, or null after the last.</summary>
    public async ValueTask<T?> ReceiveAsync<T>(MessageParser<T> parser, CancellationToken cancellation = default)
        where T : class, IMessage<T>
    {
        ArgumentNullException.ThrowIfNull(parser);
        var message = await ReceiveAsync(cancellation).ConfigureAwait(false);
        return message is null ? null : parser.ParseFrom(message);
    }

    /// <summary>Abandons the stream: what still arrives for it is discarded. ttrpc cannot tell the other end.</summary>
    public void Dispose() => _abandon();

    internal void MarkSendClosed() => Volatile.Write(ref _sendClosed, 1);
}
