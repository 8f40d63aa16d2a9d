// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Net.Sockets;
using Containerd.Actors.Ttrpc.Frames;
using Containerd.Ttrpc;
using Google.Protobuf;

namespace Containerd.Actors.Ttrpc.Calls;

/// <summary>The serving end of one connection: checks frames, runs handlers side by side, writes their answers.</summary>
internal sealed class ServerConnection : IDisposable
{
    private readonly TtrpcHandlers _handlers;
    private readonly int _streamsMax;
    private readonly FrameChannel _frames;
    private readonly ConcurrentDictionary<uint, ServerStream> _streams = new();
    private readonly CancellationTokenSource _ended = new();
    private readonly Lock _gate = new();
    private uint _lastId;
    private int _running;
    private bool _draining;

    public ServerConnection(Stream stream, TtrpcHandlers handlers, int streamsMax)
    {
        (_handlers, _streamsMax) = (handlers, streamsMax);
        _frames = new FrameChannel(stream);
    }

    /// <summary>Serves until the connection ends; handlers still running then are cancelled.</summary>
    public async Task RunAsync()
    {
        try
        {
            await _frames.ReadAllAsync(TakeAsync, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception failure) when (IsEndOfConnection(failure))
        {
            // The peer is gone; there is nobody to tell.
        }
        finally
        {
            await _ended.CancelAsync().ConfigureAwait(false);
            _frames.Dispose();
            foreach (var stream in _streams.Values)
            {
                stream.Queue?.Complete(new TtrpcClosedException());
            }
        }
    }

    /// <summary>Ends the connection as soon as no call runs on it; calls that arrive until then are served.</summary>
    public void Drain()
    {
        lock (_gate)
        {
            _draining = true;
            if (_running > 0)
            {
                return;
            }
        }

        _frames.Dispose();
    }

    /// <summary>Ends the connection at once.</summary>
    public void Dispose() => _frames.Dispose();

    private static bool IsEndOfConnection(Exception failure) =>
        failure is IOException or ObjectDisposedException or SocketException or OperationCanceledException;

    private async ValueTask TakeAsync(FrameHeader header, ReadOnlyMemory<byte> data)
    {
        if (header.IsOversized)
        {
            var tooLong = TtrpcStatusException.TooLong(header.Length);
            await RefuseAsync(header.StreamId, tooLong.Code, tooLong.Message).ConfigureAwait(false);
        }
        else if (header.Type is not (FrameType.Request or FrameType.Data))
        {
            return;
        }
        else if (header.StreamId % 2 == 0)
        {
            await RefuseAsync(header.StreamId, TtrpcCode.InvalidArgument, "StreamID must be odd for client initiated streams").ConfigureAwait(false);
        }
        else if (header.Type == FrameType.Data)
        {
            await TakeDataAsync(header, data).ConfigureAwait(false);
        }
        else if (header.StreamId <= _lastId)
        {
            await RefuseAsync(header.StreamId, TtrpcCode.InvalidArgument, "StreamID cannot be re-used and must increment").ConfigureAwait(false);
        }
        else
        {
            _lastId = header.StreamId;
            await TakeRequestAsync(header, data).ConfigureAwait(false);
        }
    }

    private async ValueTask TakeDataAsync(FrameHeader header, ReadOnlyMemory<byte> data)
    {
        if (!_streams.TryGetValue(header.StreamId, out var stream))
        {
            await RefuseAsync(header.StreamId, TtrpcCode.InvalidArgument, "StreamID is no longer active").ConfigureAwait(false);
            return;
        }

        string? wrong = null;
        if (stream.Queue is null)
        {
            wrong = "data handling error: ttrpc: protocol error";
        }
        else if (!header.Has(FrameFlags.NoData) && !stream.Queue.TryAdd(data.ToArray()))
        {
            wrong = "data handling error: ttrpc: stream buffer full";
        }
        else if (header.Has(FrameFlags.RemoteClosed))
        {
            stream.Queue.Complete();
            wrong = data.Length > 0 ? "data close message cannot include data" : null;
        }

        if (wrong is not null && stream.Finish())
        {
            _streams.TryRemove(header.StreamId, out _);
            stream.Queue?.Complete(new TtrpcStatusException(TtrpcCode.InvalidArgument, wrong));
            await RefuseAsync(header.StreamId, TtrpcCode.InvalidArgument, wrong).ConfigureAwait(false);
        }
    }

    private async ValueTask TakeRequestAsync(FrameHeader header, ReadOnlyMemory<byte> data)
    {
        Request request;
        try
        {
            request = Request.Parser.ParseFrom(data.Span);
        }
        catch (InvalidProtocolBufferException wrong)
        {
            await RefuseAsync(header.StreamId, TtrpcCode.InvalidArgument, $"unmarshal request error: {wrong.Message}").ConfigureAwait(false);
            return;
        }

        if (!_handlers.TryGet(request.Service, request.Method, out var handler))
        {
            var missing = _handlers.HasService(request.Service) ? $"method {request.Method}" : $"service {request.Service}";
            await RefuseAsync(header.StreamId, TtrpcCode.Unimplemented, missing).ConfigureAwait(false);
            return;
        }

        if (!Begin())
        {
            await RefuseAsync(header.StreamId, TtrpcCode.ResourceExhausted, $"more than {_streamsMax} calls on one connection").ConfigureAwait(false);
            return;
        }

        var stream = new ServerStream(handler is TtrpcStreamHandler ? new MessageQueue() : null);
        _streams[header.StreamId] = stream;
        if (stream.Queue is { } queue)
        {
            if (!header.Has(FrameFlags.RemoteOpen) || !request.Payload.IsEmpty)
            {
                queue.TryAdd(request.Payload.ToByteArray());
            }

            if (!header.Has(FrameFlags.RemoteOpen))
            {
                queue.Complete();
            }
        }

        _ = Task.Run(() => ServeAsync(header.StreamId, stream, handler, request));
    }

    private async Task ServeAsync(uint id, ServerStream stream, Delegate handler, Request request)
    {
        try
        {
            using var bounded = CancellationTokenSource.CreateLinkedTokenSource(_ended.Token);
            if (request.TimeoutNano > 0)
            {
                bounded.CancelAfter(TimeSpan.FromTicks(Math.Clamp(
                    request.TimeoutNano / TimeSpan.NanosecondsPerTick, 1, TimeSpan.FromDays(24).Ticks)));
            }

            var call = new TtrpcCall(request.Service, request.Method, request.Metadata, bounded.Token);
            try
            {
                if (handler is TtrpcUnaryHandler unary)
                {
                    var payload = await unary(call, request.Payload).ConfigureAwait(false);
                    await AnswerAsync(id, stream, new Response { Payload = payload }).ConfigureAwait(false);
                }
                else
                {
                    await ServeStreamAsync(id, stream, (TtrpcStreamHandler)handler, call).ConfigureAwait(false);
                }
            }
            catch (Exception failure) when (!_ended.IsCancellationRequested)
            {
                // Whatever a handler throws is the caller's answer; the connection goes on.
                var status = failure is OperationCanceledException && bounded.IsCancellationRequested
                    ? TtrpcStatusException.Status(TtrpcCode.DeadlineExceeded, "context deadline exceeded")
                    : TtrpcStatusException.StatusOf(failure);
                await AnswerAsync(id, stream, new Response { Status = status }).ConfigureAwait(false);
            }
        }
        catch (Exception failure) when (IsEndOfConnection(failure) || _ended.IsCancellationRequested)
        {
            // The connection ended under the call: the read loop has seen it too.
        }
        finally
        {
            _streams.TryRemove(id, out _);
            Finished();
        }
    }

    private async Task ServeStreamAsync(uint id, ServerStream stream, TtrpcStreamHandler handler, TtrpcCall call)
    {
        using var end = new TtrpcStream(
            stream.Queue!,
            (data, token) => _frames.WriteDataAsync(id, FrameFlags.None, data, token),
            _ => Task.CompletedTask,
            () => { });
        await handler(call, end).ConfigureAwait(false);
        if (stream.Finish())
        {
            _streams.TryRemove(id, out _);
            await _frames.WriteDataAsync(id, FrameFlags.RemoteClosed | FrameFlags.NoData, default, CancellationToken.None).ConfigureAwait(false);
        }
    }

    private async Task AnswerAsync(uint id, ServerStream stream, Response response)
    {
        FrameChannel.CheckLength(response.CalculateSize());
        if (stream.Finish())
        {
            _streams.TryRemove(id, out _);
            await _frames.WriteAsync(id, FrameType.Response, FrameFlags.None, response, CancellationToken.None).ConfigureAwait(false);
        }
    }

    private Task RefuseAsync(uint id, TtrpcCode code, string message) => _frames.WriteAsync(
        id, FrameType.Response, FrameFlags.None, new Response { Status = TtrpcStatusException.Status(code, message) }, CancellationToken.None);

    private bool Begin()
    {
        lock (_gate)
        {
            if (_running >= _streamsMax)
            {
                return false;
            }

            _running++;
            return true;
        }
    }

    private void Finished()
    {
        lock (_gate)
        {
            _running--;
            if (!_draining || _running > 0)
            {
                return;
            }
        }

        _frames.Dispose();
    }
}
