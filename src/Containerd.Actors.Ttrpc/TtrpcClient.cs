// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Net.Sockets;
using Containerd.Actors.Ttrpc.Calls;
using Containerd.Actors.Ttrpc.Frames;
using Containerd.Ttrpc;
using Google.Protobuf;

namespace Containerd.Actors.Ttrpc;

/// <summary>The calling end of a ttrpc connection; any number of calls at a time, from any thread.</summary>
/// <remarks>
/// Answers may come in any order. A call whose time is up or whose token is cancelled abandons its stream: the peer is
/// not told, its late answer is discarded. When the connection ends every pending call fails with
/// <see cref="TtrpcClosedException"/>, as does every later one; a client never reconnects.
/// </remarks>
public sealed class TtrpcClient : IAsyncDisposable
{
    private readonly FrameChannel _frames;
    private readonly TimeProvider _time;
    private readonly ConcurrentDictionary<uint, PendingCall> _calls = new();
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _reading;
    private long _nextId = 1;
    private TtrpcClosedException? _end;

    /// <summary>Takes over a connected stream and starts to read from it.</summary>
    public TtrpcClient(Stream stream, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        _frames = new FrameChannel(stream);
        _time = time ?? TimeProvider.System;
        _reading = Task.Run(ReadAsync);
    }

    /// <summary>Completes, always without an error, when the connection has ended for whatever reason.</summary>
    public Task Closed => _closed.Task;

    /// <summary>Connects to an address as <see cref="TtrpcEndPoints.Parse"/> reads it.</summary>
    /// <exception cref="SocketException">Nobody listens there.</exception>
    public static async Task<TtrpcClient> ConnectAsync(string address, CancellationToken cancellation = default)
    {
        var socket = await TtrpcEndPoints.ConnectAsync(TtrpcEndPoints.Parse(address), cancellation).ConfigureAwait(false);
        return new TtrpcClient(new NetworkStream(socket, ownsSocket: true));
    }

    /// <summary>A unary call on encoded messages.</summary>
    /// <param name="service">Service as <c>package.Service</c>.</param>
    /// <param name="method">Bare name of the method.</param>
    /// <param name="payload">The encoded request.</param>
    /// <param name="timeout">How long to wait; sent along, so that the peer gives up too. None if null.</param>
    /// <param name="metadata">Pairs sent along; keys in lower case.</param>
    /// <param name="cancellation">Abandons the call.</param>
    /// <returns>The encoded response.</returns>
    /// <exception cref="TtrpcStatusException">The peer's error; DeadlineExceeded also when the own time is up.</exception>
    /// <exception cref="TtrpcClosedException">The connection ended.</exception>
    public async Task<ByteString> CallAsync(
        string service,
        string method,
        ByteString payload,
        TimeSpan? timeout = null,
        IEnumerable<KeyValuePair<string, string>>? metadata = null,
        CancellationToken cancellation = default)
    {
        var request = Request(service, method, payload, metadata);
        using var deadline = timeout is { } span ? new CancellationTokenSource(span < TimeSpan.Zero ? TimeSpan.Zero : span, _time) : null;
        using var linked = deadline is null ? null : CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellation);
        var token = linked?.Token ?? cancellation;
        var call = new UnaryCall();
        try
        {
            await OpenAsync(request, FrameFlags.None, call, timeout, token).ConfigureAwait(false);
            return await call.Answer.WaitAsync(token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (deadline is { IsCancellationRequested: true } && !cancellation.IsCancellationRequested)
        {
            throw new TtrpcStatusException(TtrpcCode.DeadlineExceeded, "context deadline exceeded");
        }
        finally
        {
            _calls.TryRemove(call.StreamId, out _);
        }
    }

    /// <summary>A unary call on typed messages; see the overload on bytes.</summary>
    public async Task<TResponse> CallAsync<TRequest, TResponse>(
        string service,
        string method,
        TRequest request,
        MessageParser<TResponse> parser,
        TimeSpan? timeout = null,
        IEnumerable<KeyValuePair<string, string>>? metadata = null,
        CancellationToken cancellation = default)
        where TRequest : IMessage<TRequest>
        where TResponse : IMessage<TResponse>
    {
        ArgumentNullException.ThrowIfNull(parser);
        var answer = await CallAsync(service, method, request.ToByteString(), timeout, metadata, cancellation).ConfigureAwait(false);
        return parser.ParseFrom(answer);
    }

    /// <summary>Opens a stream on which only the server sends, after one request.</summary>
    public async Task<TtrpcStream> OpenServerStreamAsync(
        string service, string method, ByteString payload, CancellationToken cancellation = default)
    {
        var stream = await OpenStreamAsync(Request(service, method, payload, null), FrameFlags.RemoteClosed, cancellation).ConfigureAwait(false);
        stream.MarkSendClosed();
        return stream;
    }

    /// <summary>
    /// Opens a stream on which the client sends; the server may send many messages (bidirectional) or one at the end
    /// (client streaming), which then is the last that is received.
    /// </summary>
    public Task<TtrpcStream> OpenStreamAsync(string service, string method, CancellationToken cancellation = default) =>
        OpenStreamAsync(Request(service, method, ByteString.Empty, null), FrameFlags.RemoteOpen, cancellation);

    /// <summary>Ends the connection; pending calls fail with <see cref="TtrpcClosedException"/>.</summary>
    public async ValueTask DisposeAsync()
    {
        _frames.Dispose();
        await _reading.ConfigureAwait(false);
    }

    private static Request Request(
        string service, string method, ByteString payload, IEnumerable<KeyValuePair<string, string>>? metadata)
    {
        var request = new Request { Service = service, Method = method, Payload = payload };
        foreach (var (key, value) in metadata ?? [])
        {
            request.Metadata.Add(new KeyValue { Key = key, Value = value });
        }

        return request;
    }

    private async Task<TtrpcStream> OpenStreamAsync(Request request, FrameFlags flags, CancellationToken cancellation)
    {
        var call = new StreamCall();
        await OpenAsync(request, flags, call, null, cancellation).ConfigureAwait(false);
        var id = call.StreamId;
        return new TtrpcStream(
            call.Queue,
            (data, token) => SendAsync(id, FrameFlags.None, data, token),
            token => SendAsync(id, FrameFlags.RemoteClosed | FrameFlags.NoData, default, token),
            () => _calls.TryRemove(id, out _));
    }

    private async Task SendAsync(uint id, FrameFlags flags, ReadOnlyMemory<byte> data, CancellationToken cancellation)
    {
        try
        {
            await _frames.WriteDataAsync(id, flags, data, cancellation).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is IOException or ObjectDisposedException or SocketException)
        {
            throw End(failure);
        }
    }

    // Ids must rise on the wire, so an id is drawn and its first frame written within one turn.
    private async Task OpenAsync(Request request, FrameFlags flags, PendingCall call, TimeSpan? timeout, CancellationToken cancellation)
    {
        FrameChannel.CheckLength(request.CalculateSize());
        var started = _time.GetTimestamp();
        await _frames.EnterAsync(cancellation).ConfigureAwait(false);
        Task writing;
        try
        {
            if (timeout is { } span)
            {
                // The wire carries what remains, not a point in time; zero would mean none.
                request.TimeoutNano = Math.Max(1, (span - _time.GetElapsedTime(started)).Ticks * TimeSpan.NanosecondsPerTick);
                FrameChannel.CheckLength(request.CalculateSize());
            }

            if (_nextId > uint.MaxValue)
            {
                throw End(new InvalidOperationException("stream ids are used up"));
            }

            call.StreamId = (uint)_nextId;
            _nextId += 2;
            _calls[call.StreamId] = call;
            if (Volatile.Read(ref _end) is { } end)
            {
                _calls.TryRemove(call.StreamId, out _);
                throw end;
            }
        }
        catch
        {
            _frames.Leave();
            throw;
        }

        writing = _frames.WriteAndLeaveAsync(call.StreamId, FrameType.Request, flags, request);
        try
        {
            // An abandoned call does not wait for a peer that takes no bytes; the frame is still written whole.
            await writing.WaitAsync(cancellation).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is IOException or ObjectDisposedException or SocketException)
        {
            throw End(failure);
        }
        catch (OperationCanceledException)
        {
            _ = writing.ContinueWith(
                static t => t.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
            throw;
        }
    }

    private async Task ReadAsync()
    {
        Exception? failure = null;
        try
        {
            await _frames.ReadAllAsync(Take, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception failed) when (failed is IOException or ObjectDisposedException or SocketException or OperationCanceledException)
        {
            failure = failed;
        }
        finally
        {
            End(failure);
        }
    }

    private ValueTask Take(FrameHeader header, ReadOnlyMemory<byte> data)
    {
        if (_calls.TryGetValue(header.StreamId, out var call) && call.Take(header, data.Span))
        {
            _calls.TryRemove(header.StreamId, out _);
        }

        return ValueTask.CompletedTask;
    }

    private TtrpcClosedException End(Exception? cause)
    {
        var end = new TtrpcClosedException(cause);
        if (Interlocked.CompareExchange(ref _end, end, null) is { } earlier)
        {
            return earlier;
        }

        _frames.Dispose();
        foreach (var id in _calls.Keys)
        {
            if (_calls.TryRemove(id, out var call))
            {
                call.Fail(end);
            }
        }

        _closed.TrySetResult();
        return end;
    }
}
