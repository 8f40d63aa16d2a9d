// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Client.Connections;
using Containerd.Actors.Client.Transfers;
using Containerd.Actors.Client.Values;
using Containerd.Services.Streaming.V1;
using Containerd.Types.Transfer;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Containerd.Actors.Cli.Tests.Client;

/// <summary>Byte streams against a daemon that ends them whenever it pleases.</summary>
public sealed class ByteStreamSpecs : IAsyncLifetime
{
    private const int Rounds = 200;

    private readonly string _root = Directory.CreateTempSubdirectory("byte-streams-").FullName;
    private WebApplication? _daemon;
    private ContainerdConnection? _connection;

    public async Task InitializeAsync()
    {
        string socket = Path.Combine(_root, "s");
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenUnixSocket(socket, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddGrpc();
        _daemon = builder.Build();
        _daemon.MapGrpcService<Daemon>();
        await _daemon.StartAsync();
        _connection = ContainerdConnection.Open(socket, "default");
    }

    public async Task DisposeAsync()
    {
        _connection!.Dispose();
        await _daemon!.DisposeAsync();
        Directory.Delete(_root, recursive: true);
    }

    [Fact]
    public async Task A_receiver_has_all_bytes_though_the_sender_leaves_while_it_grants_more()
    {
        for (int round = 0; round < Rounds; round++)
        {
            using ClientStream stream = await ClientStream.OpenAsync(_connection!, "export", CancellationToken.None);
            using MemoryStream received = new();
            await stream.ReceiveAsync(received, _ => { }, CancellationToken.None);
            Assert.Equal(Daemon.Sent, received.ToArray());
        }
    }

    [Fact]
    public async Task What_is_sent_on_a_stream_that_has_ended_is_known_to_be_lost()
    {
        using ClientStream stream = await ClientStream.OpenAsync(_connection!, "export", CancellationToken.None);
        while (await stream.ReceiveAsync(Data.Parser, CancellationToken.None) is not null)
        {
        }

        Assert.False(await stream.TrySendAsync(new WindowUpdate { Update = 1 }, CancellationToken.None));
        Assert.Null(await stream.ReceiveAsync(Data.Parser, CancellationToken.None));
    }

    private sealed class Daemon : Streaming.StreamingBase
    {
        public static byte[] Sent { get; } = [.. Enumerable.Range(0, 40_000).Select(i => (byte)i)];

        public override async Task Stream(IAsyncStreamReader<Any> requestStream, IServerStreamWriter<Any> responseStream, ServerCallContext context)
        {
            await requestStream.MoveNext();
            await responseStream.WriteAsync(TypedAny.Of(new Empty()));
            foreach (byte[] chunk in Sent.Chunk(8_000))
            {
                await responseStream.WriteAsync(TypedAny.Of(new Data { Data_ = ByteString.CopyFrom(chunk) }));
            }
        }
    }
}
