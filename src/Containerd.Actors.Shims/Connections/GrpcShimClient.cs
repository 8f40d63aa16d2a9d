// SPDX-License-Identifier: Apache-2.0

using System.Net.Sockets;
using Containerd.Actors.Protocol.Errors;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;

namespace Containerd.Actors.Shims.Connections;

/// <summary>A shim that speaks gRPC.</summary>
internal sealed class GrpcShimClient : IShimClient
{
    // As much as containerd lets its clients receive.
    private const int MessageBytesMax = 16 << 20;

    private readonly WatchedStream _stream;
    private readonly GrpcChannel _channel;
    private readonly CallInvoker _invoker;
    private readonly Metadata _metadata;
    private readonly string _id;
    private int _isTaken;

    /// <param name="socket">Connected; owned from here on.</param>
    /// <param name="ns">Namespace of the task.</param>
    /// <param name="id">The task.</param>
    public GrpcShimClient(Socket socket, string ns, string id)
    {
        (_id, _metadata) = (id, new Metadata { { "containerd-namespace", ns } });
        _stream = new WatchedStream(new NetworkStream(socket, ownsSocket: true));
        _channel = GrpcChannel.ForAddress("http://shim", new GrpcChannelOptions
        {
            DisposeHttpClient = true,
            MaxReceiveMessageSize = MessageBytesMax,
            HttpHandler = new SocketsHttpHandler
            {
                ConnectCallback = (_, _) => Interlocked.Exchange(ref _isTaken, 1) == 0
                    ? ValueTask.FromResult<Stream>(_stream)
                    : ValueTask.FromException<Stream>(new IOException("the connection to the shim has ended")),
                PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
                PooledConnectionLifetime = Timeout.InfiniteTimeSpan,
                UseProxy = false,
            },
        });
        _invoker = _channel.CreateCallInvoker();
    }

    public Task Closed => _stream.Closed;

    public async Task<TResponse> CallAsync<TRequest, TResponse>(
        string service, string method, TRequest request, MessageParser<TResponse> parser, TimeSpan? timeout, CancellationToken cancellation)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage<TResponse>
    {
        Method<TRequest, TResponse> called = new(
            MethodType.Unary,
            service,
            method,
            Marshallers.Create<TRequest>(static message => message.ToByteArray(), static _ => throw new NotSupportedException()),
            Marshallers.Create<TResponse>(static _ => throw new NotSupportedException(), parser.ParseFrom));
        DateTime? deadline = timeout is { } span ? TimeProvider.System.GetUtcNow().UtcDateTime + span : null;
        try
        {
            using AsyncUnaryCall<TResponse> call = _invoker.AsyncUnaryCall(called, null, new CallOptions(_metadata, deadline, cancellation), request);
            return await call.ResponseAsync.ConfigureAwait(false);
        }
        catch (RpcException) when (cancellation.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellation);
        }
        catch (RpcException lost) when (lost.Status.DebugException is IOException or HttpRequestException or ObjectDisposedException || Closed.IsCompleted)
        {
            throw new ShimClosedException(_id, lost);
        }
        catch (RpcException late) when (late.StatusCode == StatusCode.DeadlineExceeded)
        {
            throw new RefusedException(new Error(ErrorKind.DeadlineExceeded, "context deadline exceeded"), late);
        }
        catch (RpcException refused)
        {
            throw new RefusedException(ShimErrors.Of((int)refused.StatusCode, refused.Status.Detail), refused);
        }
        catch (ObjectDisposedException disposed)
        {
            throw new ShimClosedException(_id, disposed);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _channel.Dispose();
        await _stream.DisposeAsync().ConfigureAwait(false);
    }
}
