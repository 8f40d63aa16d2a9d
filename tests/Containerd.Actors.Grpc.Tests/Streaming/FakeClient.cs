// SPDX-License-Identifier: Apache-2.0

using System.Threading.Channels;
using Containerd.Actors.Grpc.Calls;
using Containerd.Actors.Grpc.Streaming;
using Containerd.Actors.Grpc.Tests.Calls;
using Containerd.Services.Streaming.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Containerd.Actors.Grpc.Tests.Streaming;

/// <summary>A client with one stream open: what it sends and receives are queues.</summary>
internal sealed class FakeClient : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly Requests _requests = new();
    private readonly Responses _responses = new();
    private readonly CancellationTokenSource _hangUp = new();

    private FakeClient(LiveStreams streams, Tree tree, string id, string ns, string lease)
    {
        List<(string, string)> headers = [];
        if (ns.Length > 0)
        {
            headers.Add(("containerd-namespace", ns));
        }

        if (lease.Length > 0)
        {
            headers.Add(("containerd-lease", lease));
        }

        Send(new StreamInit { Id = id });
        Call = new StreamingService(tree, streams).Stream(_requests, _responses, new FakeCall([.. headers]) { HangUp = _hangUp.Token });
    }

    /// <summary>The call on the server's side.</summary>
    public Task Call { get; }

    public static FakeClient Start(LiveStreams streams, Tree tree, string id, string ns = "default", string lease = "") => new(streams, tree, id, ns, lease);

    /// <summary>A client whose stream was accepted.</summary>
    public static async Task<FakeClient> OpenAsync(LiveStreams streams, Tree tree, string id, string ns = "default")
    {
        FakeClient client = new(streams, tree, id, ns, "");
        Any first = await client.ReceiveAsync();
        Assert.Equal(("google.protobuf.Empty", 0), (first.TypeUrl, first.Value.Length));
        return client;
    }

    public void Send(IMessage message) => _requests.Queue.Writer.TryWrite(message.ToBareAny());

    public void SendRaw(Any message) => _requests.Queue.Writer.TryWrite(message);

    /// <summary>Says that no more will come.</summary>
    public void CloseSend() => _requests.Queue.Writer.TryComplete();

    public void HangUp() => _hangUp.Cancel();

    public async Task<Any> ReceiveAsync() => await _responses.Queue.Reader.ReadAsync().AsTask().WaitAsync(Patience);

    public async Task<T> ReceiveAsync<T>(MessageParser<T> parser)
        where T : IMessage<T>, new() => (await ReceiveAsync()).Read(parser);

    /// <summary>What came and was not received.</summary>
    public List<T> Left<T>(MessageParser<T> parser)
        where T : IMessage<T>, new()
    {
        List<T> left = [];
        while (_responses.Queue.Reader.TryRead(out Any? any))
        {
            left.Add(any.Read(parser));
        }

        return left;
    }

    public void Dispose()
    {
        _hangUp.Cancel();
        _hangUp.Dispose();
    }

    private sealed class Requests : IAsyncStreamReader<Any>
    {
        public Channel<Any> Queue { get; } = Channel.CreateUnbounded<Any>();

        public Any Current { get; private set; } = new();

        public async Task<bool> MoveNext(CancellationToken cancellationToken)
        {
            if (!await Queue.Reader.WaitToReadAsync(cancellationToken))
            {
                return false;
            }

            Current = await Queue.Reader.ReadAsync(cancellationToken);
            return true;
        }
    }

    private sealed class Responses : IServerStreamWriter<Any>
    {
        public Channel<Any> Queue { get; } = Channel.CreateUnbounded<Any>();

        public WriteOptions? WriteOptions { get; set; }

        public Task WriteAsync(Any message) => Queue.Writer.WriteAsync(message).AsTask();

        public Task WriteAsync(Any message, CancellationToken cancellationToken) => WriteAsync(message);
    }
}
