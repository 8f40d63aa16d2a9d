// SPDX-License-Identifier: Apache-2.0

using Akka.Actor;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Pulls;
using Containerd.Actors.Registry;
using Containerd.Actors.Supervision.Namespaces.Pulls;
using Containerd.Actors.Supervision.Verifiers;

namespace Containerd.Actors.Supervision.Tests.Namespaces.Pulls;

public sealed class ParallelUnpackSpecs() : TestKit("akka.persistence.journal.plugin = \"akka.persistence.journal.inmem\"")
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private static readonly PullSettings Settings = new(
        4, 4, 0, TimeSpan.FromSeconds(10), Patience, TimeSpan.FromHours(1), TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(10), 1 << 20, 2, 16, VerifierSettings.None, new RegistrySettings());

    private static readonly PullCommands.Pull Pull = new(
        "ns",
        "registry.test/library/image:1",
        new PullWish
        {
            Names = [new PullName("registry.test/library/image:1")],
            Platforms = PlatformSelection.Best(new Platform("linux", "amd64")),
            Unpacks = [new PullUnpack(null, "overlayfs")],
        },
        PullSource.Default,
        GoesOn: false,
        Caller.Policy("test"));

    private readonly FakeSource _source = new();

    // The first layer is extracted when the test lets it be.
    private readonly TaskCompletionSource _first = new();

    [Fact]
    public async Task A_layer_that_is_extracted_before_its_parent_is_committed_after_it_with_what_it_takes_from_it()
    {
        TreeScript script = new() { DiffIdOf = DiffIdOf, Extraction = _ => _first.Task, AppliesAfter = _first.Task };
        TestProbe caller = Start(script);
        await AwaitAssertAsync(() => Assert.Contains("extract", script.Deeds), Patience);
        Assert.DoesNotContain(script.Deeds, deed => deed.StartsWith("commit", StringComparison.Ordinal));
        _first.SetResult();

        Assert.Equal(PullStage.Completed, (await FinalOf(caller)).Stage);
        SnapshotterCommands.Commit[] commits = [.. script.Asked.OfType<SnapshotterCommands.Commit>()];
        Assert.Equal(_source.ChainIds, commits.Select(commit => commit.Name));
        Assert.Equal(("", _source.ChainIds[0]), (commits[0].Parent, commits[1].Parent));
        Assert.Empty(commits[0].Inherited);
        Assert.Equal(["", "etc"], commits[1].Inherited.ToArray());
        Assert.All(
            script.Asked.OfType<SnapshotterCommands.Prepare>(),
            prepare => Assert.Contains(prepare.Labels["containerd.io/snapshot.ref"], _source.ChainIds));
    }

    [Fact]
    public async Task Where_parents_must_come_first_layers_are_unpacked_one_after_the_other()
    {
        _first.SetResult();
        TreeScript script = new() { DiffIdOf = DiffIdOf, NeedsParents = true };
        Assert.Equal(PullStage.Completed, (await FinalOf(Start(script))).Stage);
        Assert.Equal(["apply", "apply"], script.Deeds.Where(deed => deed is "apply" or "extract"));
        Assert.Equal(
            ["", _source.ChainIds[0]], script.Asked.OfType<SnapshotterCommands.Prepare>().Where(prepare => !prepare.IsDetached).Select(prepare => prepare.Parent));
    }

    [Fact]
    public async Task What_was_extracted_is_removed_when_the_layer_below_it_is_refused()
    {
        TreeScript script = new()
        {
            DiffIdOf = layer => layer == _source.Layers[0].Digest ? Digest.Of("something else"u8) : DiffIdOf(layer),
            AppliesAfter = _first.Task,
        };
        TestProbe caller = Start(script);
        await AwaitAssertAsync(() => Assert.Contains("extract", script.Deeds), Patience);
        _first.SetResult();
        PullProgress last = await FinalOf(caller);
        Assert.Contains("wrong diff id", last.Error!.Text, StringComparison.Ordinal);
        AssertAllRemoved(script);
        Assert.Equal("release", script.Deeds.Last());
        Assert.DoesNotContain(script.Deeds, deed => deed.Split(' ')[0] is "commit" or "image");
    }

    [Fact]
    public async Task A_layer_extracted_before_its_parent_that_is_not_what_the_configuration_says_leaves_nothing()
    {
        TreeScript script = new() { DiffIdOf = layer => layer == _source.Layers[1].Digest ? Digest.Of("something else"u8) : DiffIdOf(layer), AppliesAfter = _first.Task };
        TestProbe caller = Start(script);
        await AwaitAssertAsync(() => Assert.Contains("remove snapshot", script.Deeds), Patience);
        _first.SetResult();
        Assert.Contains("wrong diff id", (await FinalOf(caller)).Error!.Text, StringComparison.Ordinal);
        AssertAllRemoved(script);
        Assert.DoesNotContain(script.Deeds, deed => deed.Split(' ')[0] is "commit" or "image");
    }

    private static void AssertAllRemoved(TreeScript script) => Assert.Equal(
        script.Asked.OfType<SnapshotterCommands.Prepare>().Select(prepare => prepare.Key).Order(StringComparer.Ordinal),
        script.Asked.OfType<SnapshotCommands.Remove>().Select(remove => remove.Key).Order(StringComparer.Ordinal));

    private Digest DiffIdOf(Digest layer) => layer == _source.Layers[0].Digest ? _source.DiffIds[0] : _source.DiffIds[1];

    private TestProbe Start(TreeScript script)
    {
        _source.Gate.SetResult();
        IActorRef tree = Sys.ActorOf(Props.Create(() => new FakeTree(script)));
        IActorRef pulls = Sys.ActorOf(PullsSupervisor.Props("ns", tree, (_, _, _) => _source, Settings, _ => [], TimeProvider.System));
        TestProbe watcher = CreateTestProbe();
        pulls.Tell(Pull, watcher);
        return watcher;
    }

    private static async Task<PullProgress> FinalOf(TestProbe watcher) =>
        await watcher.FishForMessageAsync<PullProgress>(progress => progress.IsFinal, Patience);
}
