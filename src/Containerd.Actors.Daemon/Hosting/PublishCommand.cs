// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using System.Net.Sockets;
using Containerd.Services.Events.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Grpc.Net.Client;

namespace Containerd.Actors.Daemon.Hosting;

/// <summary><c>containerd-actors --address SOCKET publish --topic T --namespace NS</c>, with an encoded Any on standard input.</summary>
/// <remarks>Shims that cannot speak ttrpc to the daemon publish their events by running its binary this way.</remarks>
internal static class PublishCommand
{
    // An event is small; what is larger than the daemon would take is not read to its end.
    private const int EventBytesMax = 16 << 20;

    public static Command Create(Option<string?> address)
    {
        Option<string> topic = new("--topic") { Required = true, Description = "topic of the event" };
        Option<string> ns = new("--namespace") { Required = true, Description = "namespace of the event" };
        Command command = new("publish", "Publishes an event read from standard input (for shims).") { topic, ns };
        command.SetAction((parsed, cancellationToken) => RunAsync(
            parsed.GetValue(address) ?? "/run/containerd-actors/containerd.sock",
            parsed.GetValue(topic)!,
            parsed.GetValue(ns)!,
            cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(string address, string topic, string ns, CancellationToken cancellationToken)
    {
        using MemoryStream bytes = new();
        byte[] buffer = new byte[64 << 10];
        using Stream input = Console.OpenStandardInput();
        for (int read; (read = await input.ReadAsync(buffer, cancellationToken)) > 0;)
        {
            if (bytes.Length + read > EventBytesMax)
            {
                await Console.Error.WriteLineAsync("containerd-actors: publish: event too large");
                return 1;
            }

            bytes.Write(buffer, 0, read);
        }

        using SocketsHttpHandler handler = new() { ConnectCallback = (_, token) => ConnectAsync(address, token) };
        using GrpcChannel channel = GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions { HttpHandler = handler });
        try
        {
            await new Services.Events.V1.Events.EventsClient(channel).PublishAsync(
                new PublishRequest { Topic = topic, Event = Any.Parser.ParseFrom(bytes.ToArray()) },
                new Metadata { { "containerd-namespace", ns } },
                cancellationToken: cancellationToken);
            return 0;
        }
        catch (RpcException e)
        {
            await Console.Error.WriteLineAsync($"containerd-actors: publish: {e.Status.Detail}");
            return 1;
        }
    }

    private static async ValueTask<Stream> ConnectAsync(string address, CancellationToken cancellationToken)
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(address), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
