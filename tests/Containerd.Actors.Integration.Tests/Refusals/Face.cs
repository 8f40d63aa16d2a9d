// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Grpc.Core;
using Grpc.Net.Client;

namespace Containerd.Actors.Integration.Tests.Refusals;

/// <summary>A daemon of its own without images, spoken to in plain gRPC.</summary>
/// <remarks>CONTAINERD_ACTORS_FACE names the socket of another daemon to hold to the same words, containerd for example.</remarks>
public sealed class Face : IAsyncLifetime
{
    private readonly string _work = Path.Combine(Path.GetTempPath(), $"containerd-actors-{Guid.NewGuid():N}"[..30]);
    private readonly GrpcChannel _channel;
    private Process? _daemon;

    public Face()
    {
        UnixDomainSocketEndPoint socket = new(Socket);
        _channel = GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler
            {
                ConnectCallback = async (_, cancellation) =>
                {
                    Socket connection = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                    await connection.ConnectAsync(socket, cancellation);
                    return new NetworkStream(connection, ownsSocket: true);
                },
            },
            DisposeHttpClient = true,
        });
    }

    /// <summary>True when the daemon is another one: what is ours alone does not hold there.</summary>
    public static bool IsForeign => Environment.GetEnvironmentVariable("CONTAINERD_ACTORS_FACE") is { Length: > 0 };

    public string Socket => Environment.GetEnvironmentVariable("CONTAINERD_ACTORS_FACE") ?? Path.Combine(_work, "c.sock");

    public CallInvoker Invoker => _channel.CreateCallInvoker();

    public async Task InitializeAsync()
    {
        if (Repository.Missing.Length > 0)
        {
            return;
        }

        if (!IsForeign)
        {
            Directory.CreateDirectory(_work);
            string[] arguments = ["--address", Socket, "--root", Path.Combine(_work, "root"), "--state", Path.Combine(_work, "state"), "--log-level", "error"];
            _daemon = Process.Start(new ProcessStartInfo(Repository.Daemon, arguments))!;
        }

        await Command.UntilAsync(async () => new Ran((int)await HealthAsync(), "", ""), ran => ran.Status == 0, TimeSpan.FromSeconds(20));
    }

    public async Task DisposeAsync()
    {
        _channel.Dispose();
        if (_daemon is not null)
        {
            _daemon.Kill();
            await _daemon.WaitForExitAsync();
            _daemon.Dispose();
        }

        if (Directory.Exists(_work))
        {
            Directory.Delete(_work, recursive: true);
        }
    }

    /// <summary>The status with which a call ends, its messages being bytes.</summary>
    internal async Task<Status> EndAsync(string rpc, byte[]? request = null, params (string Key, string Value)[] headers)
    {
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(10));
        Method<byte[], byte[]> method = new(MethodType.DuplexStreaming, rpc.Split('/')[0], rpc.Split('/')[1], Bytes, Bytes);
        using AsyncDuplexStreamingCall<byte[], byte[]> call = Invoker.AsyncDuplexStreamingCall(
            method, null, new CallOptions(Headers(headers), cancellationToken: patience.Token));
        try
        {
            await call.RequestStream.WriteAsync(request ?? [], patience.Token);
            await call.RequestStream.CompleteAsync();
        }
        catch (Exception late) when (late is RpcException or InvalidOperationException)
        {
            // The daemon may end a call before it has read from it: how is for the answer to say.
        }

        try
        {
            await foreach (byte[] _ in call.ResponseStream.ReadAllAsync(patience.Token))
            {
                // A stream that says something is served.
                return Status.DefaultSuccess;
            }

            return call.GetStatus();
        }
        catch (RpcException refused)
        {
            return refused.Status;
        }
    }

    internal static Metadata Headers(params (string Key, string Value)[] headers)
    {
        Metadata metadata = [];
        foreach ((string key, string value) in headers)
        {
            metadata.Add(key, value);
        }

        return metadata;
    }

    /// <summary>Headers of a call in a namespace.</summary>
    internal static Metadata In(string ns) => Headers(("containerd-namespace", ns));

    private static Marshaller<byte[]> Bytes { get; } = Marshallers.Create(bytes => bytes, bytes => bytes);

    private async Task<StatusCode> HealthAsync() => (await EndAsync("grpc.health.v1.Health/Check")).StatusCode;
}

/// <summary>What a call is to be refused with.</summary>
internal static class Refusal
{
    /// <summary>The call ends with this code and exactly this text.</summary>
    public static async Task IsAsync<T>(StatusCode code, string text, AsyncUnaryCall<T> call)
    {
        RpcException refused = await RefusedAsync(call, text);
        Assert.True(code == refused.StatusCode && text == refused.Status.Detail, $"not {code} \"{text}\" but {refused.StatusCode} \"{refused.Status.Detail}\"");
    }

    /// <summary>The call ends with this code and a text like this.</summary>
    public static async Task MatchesAsync<T>(StatusCode code, string regex, AsyncUnaryCall<T> call)
    {
        RpcException refused = await RefusedAsync(call, regex);
        Assert.True(
            code == refused.StatusCode && Regex.IsMatch(refused.Status.Detail, regex),
            $"not {code} /{regex}/ but {refused.StatusCode} \"{refused.Status.Detail}\"");
    }

    private static async Task<RpcException> RefusedAsync<T>(AsyncUnaryCall<T> call, string wanted)
    {
        try
        {
            await call;
        }
        catch (RpcException refused)
        {
            return refused;
        }

        throw new InvalidOperationException($"not refused with \"{wanted}\"");
    }
}
