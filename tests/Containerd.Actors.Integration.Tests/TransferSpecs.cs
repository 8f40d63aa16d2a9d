// SPDX-License-Identifier: Apache-2.0

using System.Net.Sockets;
using Containerd.Services.Streaming.V1;
using Containerd.Services.Transfer.V1;
using Containerd.Types.Transfer;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Grpc.Net.Client;

namespace Containerd.Actors.Integration.Tests;

/// <summary>Pulls through Transfer, as clients of containerd 2 ask for them.</summary>
public sealed class TransferSpecs(Machine machine) : IClassFixture<Machine>, IDisposable
{
    private const string Namespace = "transfers";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly MemoryRegistry _registry = new();

    public void Dispose() => _registry.Dispose();

    [SkippableFact]
    public async Task A_pull_tells_its_progress_and_asks_for_credentials()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        _registry.Password = "me:secret";
        using GrpcChannel channel = Connect();
        using AsyncDuplexStreamingCall<Any, Any> progress = await OpenAsync(channel, "progress");
        using AsyncDuplexStreamingCall<Any, Any> credentials = await OpenAsync(channel, "creds");
        Task answering = AnswerAsync(credentials);
        await Pull(channel, CancellationToken.None, "progress", "creds").ResponseAsync.WaitAsync(Patience);
        List<string> events = [];
        while (await progress.ResponseStream.MoveNext(CancellationToken.None))
        {
            events.Add(Progress.Parser.ParseFrom(progress.ResponseStream.Current.Value).Event);
        }

        Assert.Equal($"Resolving from OCI Registry ({_registry.Reference})", events[0]);
        Assert.Equal($"Completed pull from OCI Registry ({_registry.Reference})", events[^1]);
        Assert.Contains("extracted", events);
        Assert.Contains(_registry.Reference, (await CtrAsync("images", "ls", "-q")).Output, StringComparison.Ordinal);
        await ForgetAsync();
        await credentials.RequestStream.CompleteAsync();
        credentials.Dispose();
        await answering.WaitAsync(Patience);
    }

    [SkippableFact]
    public async Task A_pull_of_a_killed_daemon_leaves_no_lease_and_the_next_goes_on_from_the_bytes_that_are_stored()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        _registry.StopsBehind = (2 << 20) + 1000;
        using (GrpcChannel channel = Connect())
        {
            using AsyncUnaryCall<Empty> pull = Pull(channel, CancellationToken.None);
            await StoredAsync();
            Assert.Contains("pull-", (await CtrAsync("leases", "ls")).Output, StringComparison.Ordinal);
            await machine.KillDaemonAsync();
        }

        _registry.Reset();
        await machine.StartDaemonAsync();
        await Command.UntilAsync(() => CtrAsync("leases", "ls", "-q"), ran => ran.Output.Trim().Length == 0);
        using GrpcChannel again = Connect();
        await Pull(again, CancellationToken.None).ResponseAsync.WaitAsync(Patience);
        Assert.Equal([2L << 20], _registry.Offsets);
        await ForgetAsync();
    }

    [SkippableFact]
    public async Task A_pull_whose_call_is_cancelled_leaves_neither_lease_nor_lock()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        _registry.StopsBehind = (2 << 20) + 1000;
        using GrpcChannel channel = Connect();
        using CancellationTokenSource cancellation = new();
        using AsyncUnaryCall<Empty> pull = Pull(channel, cancellation.Token);
        await StoredAsync();
        await cancellation.CancelAsync();
        Assert.Equal(StatusCode.Cancelled, (await Assert.ThrowsAsync<RpcException>(() => pull.ResponseAsync)).StatusCode);
        await Command.UntilAsync(() => CtrAsync("leases", "ls", "-q"), ran => ran.Output.Trim().Length == 0);

        _registry.Reset();
        Assert.Equal(0, (await CtrAsync("images", "pull", "--plain-http", _registry.Reference)).Status);
        await ForgetAsync();
    }

    [SkippableFact]
    public async Task An_image_that_a_verifier_refuses_is_not_pulled()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        string directory = Directory.CreateTempSubdirectory("verifiers-").FullName;
        string verifier = Path.Combine(directory, "policy");
        string configuration = Path.Combine(directory, "..", Path.GetFileName(directory) + ".hocon");
        await File.WriteAllTextAsync(verifier, "#!/bin/sh\ngrep -q digest || exit 2\necho unsigned\nexit 1\n");
        File.SetUnixFileMode(verifier, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await File.WriteAllTextAsync(configuration, $"containerd.pulls.verifiers.directory = \"{directory}\"\n");
        await machine.KillDaemonAsync();
        await machine.StartDaemonAsync("--config", configuration);
        try
        {
            using GrpcChannel channel = Connect();
            RpcException refused = await Assert.ThrowsAsync<RpcException>(() => Pull(channel, CancellationToken.None).ResponseAsync.WaitAsync(Patience));
            Assert.Equal(
                $"image verifier bindir blocked pull of {_registry.Reference} with digest {_registry.Target} for reason: verifier policy rejected image (exit code 1): unsigned",
                refused.Status.Detail);
            Assert.Empty(_registry.Offsets);
            Assert.DoesNotContain(_registry.Reference, (await CtrAsync("images", "ls", "-q")).Output, StringComparison.Ordinal);
        }
        finally
        {
            await machine.KillDaemonAsync();
            await machine.StartDaemonAsync();
            File.Delete(configuration);
            Directory.Delete(directory, recursive: true);
        }
    }

    private static Metadata Headers() => new() { { "containerd-namespace", Namespace } };

    private static Any Bare(IMessage message) => new() { TypeUrl = message.Descriptor.FullName, Value = message.ToByteString() };

    private static async Task<AsyncDuplexStreamingCall<Any, Any>> OpenAsync(GrpcChannel channel, string id)
    {
        AsyncDuplexStreamingCall<Any, Any> call = new Streaming.StreamingClient(channel).Stream(Headers());
        await call.RequestStream.WriteAsync(Bare(new StreamInit { Id = id }));
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
        return call;
    }

    private static async Task AnswerAsync(AsyncDuplexStreamingCall<Any, Any> credentials)
    {
        try
        {
            while (await credentials.ResponseStream.MoveNext(CancellationToken.None))
            {
                await credentials.RequestStream.WriteAsync(Bare(new AuthResponse { AuthType = AuthType.Credentials, Username = "me", Secret = "secret" }));
            }
        }
        catch (RpcException)
        {
            // The test is over.
        }
    }

    private GrpcChannel Connect() => GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions
    {
        DisposeHttpClient = true,
        HttpHandler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, token) =>
            {
                Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(machine.Socket), token);
                return new NetworkStream(socket, ownsSocket: true);
            },
        },
    });

    private AsyncUnaryCall<Empty> Pull(GrpcChannel channel, CancellationToken cancellationToken, string progress = "", string credentials = "")
    {
        OCIRegistry source = new() { Reference = _registry.Reference, Resolver = new RegistryResolver { DefaultScheme = "http", AuthStream = credentials } };
        ImageStore store = new() { Name = _registry.Reference, Unpacks = { new UnpackConfiguration() } };
        return new Transfer.TransferClient(channel).TransferAsync(
            new TransferRequest { Source = Bare(source), Destination = Bare(store), Options = new TransferOptions { ProgressStream = progress } },
            Headers(),
            cancellationToken: cancellationToken);
    }

    // The layer stands still, and what came before is on disk.
    private async Task StoredAsync()
    {
        await _registry.Stopped.Task.WaitAsync(Patience);
        await Command.UntilAsync(() => CtrAsync("content", "active"), ran => ran.Output.Contains("2.0 MiB", StringComparison.Ordinal) || ran.Output.Contains("2.097MB", StringComparison.Ordinal));
    }

    private Task<Ran> CtrAsync(params string[] arguments) => machine.CtrAsync(["--namespace", Namespace, .. arguments]);

    private async Task ForgetAsync() => Assert.Equal(0, (await CtrAsync("images", "rm", "--sync", _registry.Reference)).Status);
}
