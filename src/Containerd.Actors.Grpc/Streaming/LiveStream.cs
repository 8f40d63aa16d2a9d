// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;
using Containerd.Actors.Grpc.Calls;
using Containerd.Actors.Protocol.Errors;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Containerd.Actors.Grpc.Streaming;

/// <summary>One open call of <c>Streaming.Stream</c>, as the calls that name its id see it.</summary>
/// <remarks>
/// Messages of the client are read ahead up to a bound, so that its end is seen also while nobody receives. Members may be called
/// from several threads at a time. The stream ends when somebody closes it here or when the client's call ends.
/// </remarks>
/// <param name="ns">Namespace of the call; empty without one.</param>
/// <param name="id">The client's name for it.</param>
/// <param name="responses">Where messages to the client go.</param>
/// <param name="ended">Cancelled when the client's call ends.</param>
[SuppressMessage("Design", "CA1001", Justification = "The semaphore holds no handle; a late sender may still ask it.")]
public sealed class LiveStream(string ns, string id, IServerStreamWriter<Any> responses, CancellationToken ended)
{
    // The windows of byte streams keep a client from sending more; others send one message for one received.
    private const int AheadMax = 16;

    private readonly Channel<Any> _received = Channel.CreateBounded<Any>(new BoundedChannelOptions(AheadMax) { SingleWriter = true });
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SemaphoreSlim _sending = new(1, 1);

    /// <summary>Namespace of the call; empty without one.</summary>
    public string Namespace { get; } = ns;

    /// <summary>The client's name for it.</summary>
    public string Id { get; } = id;

    /// <summary>Sends one message under its bare type name.</summary>
    /// <exception cref="RefusedException">The stream has ended.</exception>
    public async Task SendAsync(IMessage message, CancellationToken cancellationToken)
    {
        await _sending.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_closed.Task.IsCompleted || ended.IsCancellationRequested)
            {
                throw Ended();
            }

            // Not cancelled half way: what is behind this message must still be readable.
            await responses.WriteAsync(message.ToBareAny(), CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception broken) when (broken is IOException or InvalidOperationException or RpcException || IsOwn(broken))
        {
            throw Ended();
        }
        finally
        {
            _sending.Release();
        }

        bool IsOwn(Exception broken) => broken is OperationCanceledException && !cancellationToken.IsCancellationRequested;
    }

    /// <summary>The next message of the client, or null when it said that no more will come.</summary>
    /// <exception cref="RefusedException">The client's call ended without saying so.</exception>
    public async Task<Any?> ReceiveAsync(CancellationToken cancellationToken)
    {
        while (await _received.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
        {
            if (_received.Reader.TryRead(out Any? message))
            {
                return message;
            }
        }

        return null;
    }

    /// <summary>The next message, which must be one of this type; null when no more will come.</summary>
    /// <exception cref="RefusedException">It is of another type or malformed, or the call ended.</exception>
    public async Task<T?> ReceiveAsync<T>(MessageParser<T> parser, CancellationToken cancellationToken)
        where T : class, IMessage<T>, new() =>
        await ReceiveAsync(cancellationToken).ConfigureAwait(false) is { } message ? message.Read(parser) : null;

    /// <summary>Ends the client's call with success, after what was sent.</summary>
    public void Close() => _closed.TrySetResult();

    /// <summary>Reads the client's messages until somebody closes the stream or the call ends; then nothing is sent any more.</summary>
    internal async Task RunAsync(IAsyncStreamReader<Any> requests)
    {
        using CancellationTokenSource reading = CancellationTokenSource.CreateLinkedTokenSource(ended);
        Task pump = PumpAsync(requests, reading.Token);
        await Task.WhenAny(_closed.Task, Task.Delay(Timeout.Infinite, reading.Token)).ConfigureAwait(false);
        Close();

        // Whoever sends just now may end; nobody begins behind the close.
        await _sending.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        _sending.Release();
        await reading.CancelAsync().ConfigureAwait(false);
        await pump.ConfigureAwait(false);
    }

    private async Task PumpAsync(IAsyncStreamReader<Any> requests, CancellationToken cancellationToken)
    {
        try
        {
            while (await requests.MoveNext(cancellationToken).ConfigureAwait(false))
            {
                await _received.Writer.WriteAsync(requests.Current, cancellationToken).ConfigureAwait(false);
            }

            _received.Writer.TryComplete();
        }
        catch (Exception broken) when (broken is IOException or InvalidOperationException or OperationCanceledException or RpcException)
        {
            _received.Writer.TryComplete(Ended());
        }
    }

    private RefusedException Ended() => new(Error.Unavailable($"stream \"{Id}\" has ended"));
}
