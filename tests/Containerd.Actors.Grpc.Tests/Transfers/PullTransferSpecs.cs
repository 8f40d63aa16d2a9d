// SPDX-License-Identifier: Apache-2.0

using System.Collections.Frozen;
using Akka.Actor;
using Containerd.Actors.Grpc.Calls;
using Containerd.Actors.Grpc.Snapshots;
using Containerd.Actors.Grpc.Streaming;
using Containerd.Actors.Grpc.Tests.Calls;
using Containerd.Actors.Grpc.Tests.Streaming;
using Containerd.Actors.Grpc.Transfers;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Pulls;
using Containerd.Services.Transfer.V1;
using Containerd.Types.Transfer;
using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Logging.Abstractions;
using WirePlatform = Containerd.Types.Platform;

namespace Containerd.Actors.Grpc.Tests.Transfers;

public sealed class PullTransferSpecs : IDisposable
{
    private const string Reference = "docker.io/library/redis:7";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly Descriptor Target = new(MediaTypes.OciManifest, Digest.Of([1]), 7);
    private static readonly PullProgress Going = new("pull", Reference, PullStage.Fetching, [], null, null) { Root = Target };
    private static readonly PullProgress Ended = Going with { Stage = PullStage.Completed, Target = Target.Digest, Names = ["redis"] };

    private readonly LiveStreams _streams = new();
    private readonly ActorSystem _system = ActorSystem.Create("pulls", "akka.loglevel = OFF");

    public void Dispose() => _system.Dispose();

    [Fact]
    public async Task A_pull_asks_the_tree_for_what_the_client_wants()
    {
        using ScriptedTree tree = new(_ => Ended);
        await Pull(tree, new OCIRegistry { Reference = Reference, Resolver = new RegistryResolver { HostDir = "/hosts", DefaultScheme = "http", Headers = { ["x"] = "y" } } }, new ImageStore
        {
            Name = "redis",
            Labels = { ["a"] = "b" },
            Platforms = { new WirePlatform { Os = "linux", Architecture = "arm64" } },
            AllMetadata = true,
            ManifestLimit = 3,
            ExtraReferences = { new ImageReference { Name = "other", AddDigest = true }, new ImageReference { Name = "prefix", IsPrefix = true } },
            Unpacks = { new UnpackConfiguration { Platform = Host() } },
        });
        PullCommands.Pull pull = Assert.IsType<PullCommands.Pull>(Assert.Single(tree.Asked));
        Assert.Equal(("default", Reference, false), (pull.Namespace, pull.Reference, pull.GoesOn));
        Assert.Equal([new PullName("redis"), new PullName("other", AddsDigest: true)], pull.Wish.Names.AsEnumerable());
        Assert.Equal("b", pull.Wish.Labels["a"]);
        Assert.Equal((false, 3, true), (pull.Wish.Platforms.IncludesRelatives, pull.Wish.Platforms.Limit, pull.Wish.IncludesMetadata));
        Assert.Equal("arm64", Assert.Single(pull.Wish.Platforms.Platforms).Architecture);
        Assert.Equal("overlayfs", Assert.Single(pull.Wish.Unpacks).Snapshotter);
        Assert.Equal((true, "/hosts", "y", false), (pull.Source.IsPlainHttp, pull.Source.HostsDirectory, pull.Source.Headers["x"], pull.Source.AsksForCredentials));
    }

    [Fact]
    public async Task What_cannot_be_unpacked_here_is_fetched_only()
    {
        using ScriptedTree tree = new(_ => Ended);
        await Pull(tree, new OCIRegistry { Reference = Reference }, new ImageStore
        {
            Name = "redis",
            Unpacks =
            {
                new UnpackConfiguration { Platform = new WirePlatform { Os = "linux", Architecture = "s390x" } },
                new UnpackConfiguration { Platform = Host(), Snapshotter = "zfs" },
                new UnpackConfiguration { Snapshotter = "native" },
            },
        });
        PullCommands.Pull pull = (PullCommands.Pull)tree.Asked.Single();
        Assert.Equal("native", Assert.Single(pull.Wish.Unpacks).Snapshotter);
        Assert.Empty(pull.Wish.Platforms.Platforms);
    }

    [Fact]
    public async Task Progress_is_told_from_resolving_to_the_end()
    {
        using ScriptedTree tree = new(_ => Ended);
        using FakeClient client = await FakeClient.OpenAsync(_streams, tree.Tree, "p");
        await Pull(tree, new OCIRegistry { Reference = Reference }, new ImageStore { Name = "redis" }, "p");
        await client.Call.WaitAsync(Patience);
        Assert.Equal(
            [
                $"Resolving from OCI Registry ({Reference})",
                $"Pulling from OCI Registry ({Reference})",
                "fetching image content",
                "saved",
                $"Completed pull from OCI Registry ({Reference})",
            ],
            client.Left(Progress.Parser).Select(progress => progress.Event));
    }

    [Fact]
    public async Task A_failed_pull_is_refused_with_its_error()
    {
        using ScriptedTree failing = new(_ => Going with { Stage = PullStage.Failed, Error = Error.NotFound("x") });
        Assert.Equal("x: not found", await Refusal(Pull(failing, new OCIRegistry { Reference = Reference }, new ImageStore { Name = "redis" })));
        using ScriptedTree refusing = new(_ => Reply.Refused<Nothing>(Error.Invalid("y")));
        Assert.Equal("y: invalid argument", await Refusal(Pull(refusing, new OCIRegistry { Reference = Reference }, new ImageStore { Name = "redis" })));
    }

    [Theory]
    [InlineData("ftp", HTTPDebug.Disabled, "default scheme \"ftp\" is neither http nor https: invalid argument")]
    [InlineData("", HTTPDebug.Trace, "http_debug: requests to registries are not told to clients: not implemented")]
    public async Task What_is_not_done_is_refused(string scheme, HTTPDebug debug, string refusal)
    {
        using ScriptedTree tree = new(_ => Ended);
        RegistryResolver resolver = new() { DefaultScheme = scheme, HttpDebug = debug };
        Assert.Equal(refusal, await Refusal(Pull(tree, new OCIRegistry { Reference = Reference, Resolver = resolver }, new ImageStore { Name = "redis" })));
    }

    [Fact]
    public async Task A_pull_without_a_name_or_with_an_unknown_stream_is_refused()
    {
        using ScriptedTree tree = new(_ => Ended);
        Assert.Equal("no image name provided: not found", await Refusal(Pull(tree, new OCIRegistry { Reference = Reference }, new ImageStore())));
        OCIRegistry source = new() { Reference = Reference, Resolver = new RegistryResolver { AuthStream = "a" } };
        Assert.Equal("stream \"a\": not found", await Refusal(Pull(tree, source, new ImageStore { Name = "redis" })));
    }

    [Theory]
    [InlineData(AuthType.None, "", "", "", "", "")]
    [InlineData(AuthType.Credentials, "me", "s", "me", "s", "")]
    [InlineData(AuthType.Refresh, "", "token", "", "", "token")]
    public async Task Who_asks_is_asked_on_the_auth_stream(AuthType type, string user, string secret, string username, string password, string token)
    {
        using ScriptedTree tree = new(message => message is PullCommands.Pull ? new PullQueries.FindCredentials("docker.io", Reference) : Ended);
        using FakeClient client = await FakeClient.OpenAsync(_streams, tree.Tree, "a");
        OCIRegistry source = new() { Reference = Reference, Resolver = new RegistryResolver { AuthStream = "a" } };
        Task<Empty> pull = Pull(tree, source, new ImageStore { Name = "redis" });
        AuthRequest question = await client.ReceiveAsync(AuthRequest.Parser);
        Assert.Equal(("registry-1.docker.io", Reference), (question.Host, question.Reference));
        client.Send(new AuthResponse { AuthType = type, Username = user, Secret = secret });
        await pull.WaitAsync(Patience);
        PullCredentials found = tree.Asked.OfType<Done<PullCredentials>>().Single().Result;
        Assert.Equal((username, password, token, ""), (found.Username, found.Secret, found.IdentityToken, found.Header));
    }

    [Fact]
    public async Task A_client_that_answers_nothing_is_a_refusal_to_the_pull()
    {
        using ScriptedTree tree = new(message => message is PullCommands.Pull ? new PullQueries.FindCredentials("host", Reference) : Ended);
        using FakeClient client = await FakeClient.OpenAsync(_streams, tree.Tree, "a");
        OCIRegistry source = new() { Reference = Reference, Resolver = new RegistryResolver { AuthStream = "a" } };
        Task<Empty> pull = Pull(tree, source, new ImageStore { Name = "redis" });
        await client.ReceiveAsync(AuthRequest.Parser);
        client.CloseSend();
        await pull.WaitAsync(Patience);
        Assert.Equal(
            "stream \"a\" ended without credentials for host: unavailable", tree.Asked.OfType<Refused<PullCredentials>>().Single().Error.Text);
    }

    [Fact]
    public async Task A_client_that_hangs_up_ends_its_listener_which_the_pull_watches()
    {
        TaskCompletionSource<IActorRef> listener = new(TaskCreationOptions.RunContinuationsAsynchronously);
        IActorRef root = _system.ActorOf(Props.Create(() => new Recording(listener)));
        using CancellationTokenSource hangUp = new();
        Task<Empty> pull = Pull(new Tree(root, Patience), new OCIRegistry { Reference = Reference }, new ImageStore { Name = "redis" }, "", hangUp.Token);
        Task<bool> stopped = (await listener.Task.WaitAsync(Patience)).WatchAsync(CancellationToken.None);
        await hangUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pull);
        await stopped.WaitAsync(Patience);
    }

    private static WirePlatform Host() => new() { Os = Platforms.Host.Os, Architecture = Platforms.Host.Architecture };

    private Task<Empty> Pull(ScriptedTree tree, OCIRegistry source, ImageStore destination, string progress = "") =>
        Pull(tree.Tree, source, destination, progress, CancellationToken.None);

    private Task<Empty> Pull(Tree tree, OCIRegistry source, ImageStore destination, string progress, CancellationToken hangUp)
    {
        SnapshotterNames snapshotters = new(new[] { "overlayfs", "native" }.ToFrozenSet());
        TransferTable table = new([new PullTransfer(_system, snapshotters, NullLogger<PullTransfer>.Instance)]);
        return new TransferService(tree, _streams, table).Transfer(
            new TransferRequest { Source = source.ToBareAny(), Destination = destination.ToBareAny(), Options = new TransferOptions { ProgressStream = progress } },
            new FakeCall(("containerd-namespace", "default")) { HangUp = hangUp });
    }

    private static async Task<string> Refusal(Task call) => (await Assert.ThrowsAsync<RefusedException>(() => call)).Error.Text;

    private sealed class Recording(TaskCompletionSource<IActorRef> sender) : UntypedActor
    {
        protected override void OnReceive(object message) => sender.TrySetResult(Sender);
    }
}
