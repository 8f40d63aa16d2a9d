// SPDX-License-Identifier: Apache-2.0

using Akka.Actor;
using Akka.Configuration;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Pulls;
using Containerd.Actors.Registry.Fetching;
using Containerd.Actors.Storage.Content;
using Containerd.Actors.Storage.Effects;
using Containerd.Actors.Supervision.Content;
using Containerd.Actors.Supervision.Executor;
using Containerd.Actors.Supervision.Namespaces.Pulls;
using Containerd.Actors.Supervision.Tests.Executor;

namespace Containerd.Actors.Supervision.Tests.Namespaces.Pulls;

/// <summary>Pulls on a content store on disk.</summary>
public sealed class ResumeSpecs() : TestKit(
    ConfigurationFactory.ParseString("akka.persistence.journal.plugin = \"akka.persistence.journal.inmem\"").WithFallback(ExecutorReference.Config))
{
    private const int BreaksBehind = 3 << 20;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static readonly PullSettings Settings = PullsFixture.Bounds() with { StepTimeout = Patience };

    private readonly string _directory = Directory.CreateTempSubdirectory("resume-").FullName;
    private readonly FakeSource _source = new(layerBytes: 5 << 20);

    private static PullCommands.Pull Pull { get; } = new(
        "ns",
        "registry.test/library/image:1",
        new PullWish { Names = [new PullName("image")], Platforms = PlatformSelection.All },
        PullSource.Default,
        GoesOn: false,
        Caller.Policy("test"));

    [Fact]
    public async Task A_pull_that_is_asked_for_again_goes_on_from_the_bytes_that_are_stored()
    {
        _source.Gate.SetResult();
        _source.BreaksBehind = BreaksBehind;
        PullProgress last = await PullAsync();
        Assert.Equal("connection reset by peer", last.Error!.Text);

        Assert.Equal(PullStage.Completed, (await PullAsync()).Stage);
        Digest layer = _source.Layers[0].Digest;
        Assert.Equal([0L, BreaksBehind], _source.Opened.Where(opened => opened.Digest == layer).Select(opened => opened.Offset));
    }

    [Fact]
    public async Task Bytes_of_another_daemon_that_are_not_the_blobs_are_thrown_away_and_fetched_anew()
    {
        string key = ContentLabels.IngestKey(_source.Layers[0]);
        using (Ingest left = ContentStore.Open(_directory).OpenIngest("ns", key, _source.Layers[0].Size))
        {
            left.Write(new byte[1000]);
        }

        _source.Gate.SetResult();
        PullProgress last = await PullAsync();
        Assert.StartsWith("unexpected commit digest ", last.Error!.Text[last.Error.Text.IndexOf("unexpected", StringComparison.Ordinal)..], StringComparison.Ordinal);
        Assert.Equal(PullStage.Completed, (await PullAsync()).Stage);
        Assert.Equal([1000L, 0L], _source.Opened.Where(opened => opened.Digest == _source.Layers[0].Digest).Select(opened => opened.Offset));
    }

    [Fact]
    public async Task The_same_blob_for_two_images_is_fetched_once()
    {
        TreeScript script = new() { DiffIdOf = layer => layer };
        IActorRef pulls = Start(script);
        TestProbe one = CreateTestProbe();
        TestProbe two = CreateTestProbe();
        pulls.Tell(Pull, one);
        pulls.Tell(Pull with { Wish = Pull.Wish with { Names = [new PullName("other")] } }, two);
        await one.FishForMessageAsync<PullProgress>(_ => true, Patience);
        await two.FishForMessageAsync<PullProgress>(_ => true, Patience);
        _source.Gate.SetResult();
        Assert.Equal(PullStage.Completed, (await one.FishForMessageAsync<PullProgress>(progress => progress.IsFinal, Patience)).Stage);
        Assert.Equal(PullStage.Completed, (await two.FishForMessageAsync<PullProgress>(progress => progress.IsFinal, Patience)).Stage);
        Assert.All(_source.Layers, layer => Assert.Single(_source.Opened, opened => opened.Digest == layer.Digest));
    }

    protected override void AfterAll()
    {
        base.AfterAll();
        Directory.Delete(_directory, recursive: true);
    }

    // Each pull has a tree of its own, as after a restart of the daemon: only the directory is the same.
    private async Task<PullProgress> PullAsync()
    {
        IActorRef pulls = Start(new TreeScript { DiffIdOf = layer => layer });
        TestProbe caller = CreateTestProbe();
        pulls.Tell(Pull, caller);
        PullProgress last = await caller.FishForMessageAsync<PullProgress>(progress => progress.IsFinal, Patience);
        await WatchAsync(pulls);
        Sys.Stop(pulls);
        await ExpectTerminatedAsync(pulls, Patience);
        return last;
    }

    private IActorRef Start(TreeScript script)
    {
        ContentEffectRunner runner = new(ContentStore.Open(_directory));
        IActorRef tree = Sys.ActorOf(Props.Create(() => new FakeTree(script)));
        IActorRef executor = Sys.ActorOf(SyscallExecutor.Props(ExecutorSettings.Read(ExecutorReference.Config), runner));
        script.ContentActor = Sys.ActorOf(ContentActor.Props(executor, tree, ContentSettings.Shared, TimeProvider.System));
        return Sys.ActorOf(PullsSupervisor.Props("ns", tree, (_, _, _) => new Shared(_source), Settings, _ => [], TimeProvider.System));
    }

    // Outlives the pull that it is given to.
    private sealed class Shared(FakeSource source) : IImageSource
    {
        public Task<Descriptor> ResolveAsync(CancellationToken cancellationToken) => source.ResolveAsync(cancellationToken);

        public Task<byte[]> FetchManifestAsync(Descriptor descriptor, CancellationToken cancellationToken) =>
            source.FetchManifestAsync(descriptor, cancellationToken);

        public Task<IBlobPieces> OpenBlobAsync(Descriptor descriptor, long offset, CancellationToken cancellationToken) =>
            source.OpenBlobAsync(descriptor, offset, cancellationToken);

        public void Dispose()
        {
        }
    }
}
