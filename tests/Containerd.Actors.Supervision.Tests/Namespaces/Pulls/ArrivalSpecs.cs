// SPDX-License-Identifier: Apache-2.0

using Akka.Actor;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using Containerd.Actors.Core.Diff;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Pulls;
using Containerd.Actors.Registry;
using Containerd.Actors.Supervision.Namespaces.Pulls;
using Containerd.Actors.Supervision.Verifiers;

namespace Containerd.Actors.Supervision.Tests.Namespaces.Pulls;

/// <summary>Pulls whose first layer comes in two pieces, the second when the test lets it.</summary>
public sealed class ArrivalSpecs() : TestKit("akka.persistence.journal.plugin = \"akka.persistence.journal.inmem\"")
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private static readonly PullSettings Settings = new(
        4, 1, 2, TimeSpan.FromSeconds(10), Patience, TimeSpan.FromHours(1), TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(10), 1 << 20, 2, 16, VerifierSettings.None, new RegistrySettings());

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

    private readonly FakeSource _source = new(layerBytes: 2 << 20);
    private readonly TaskCompletionSource _rest = new(TaskCreationOptions.RunContinuationsAsynchronously);

    [Fact]
    public async Task A_layer_is_extracted_while_it_comes_and_committed_when_it_is_stored()
    {
        var whole = new TaskCompletionSource();
        TreeScript script = new() { DiffIdOf = DiffIdOf, Extraction = _ => whole.Task };
        TestProbe caller = Start(script);
        await AwaitAssertAsync(() => Assert.Contains("extract", script.Deeds), Patience);
        DiffCommands.Extract extract = script.Asked.OfType<DiffCommands.Extract>().Single();
        Assert.Equal((_source.Layers[0].Digest, ContentLabels.IngestKey(_source.Layers[0])), (extract.Layer.Digest, extract.Upload!.Reference));
        Assert.DoesNotContain(_source.Layers[0].Digest, script.Content.Keys);
        _rest.SetResult();
        whole.SetResult();

        Assert.Equal(PullStage.Completed, (await FinalOf(caller)).Stage);
        List<string> deeds = [.. script.Deeds];
        Assert.True(deeds.LastIndexOf("store layer") < deeds.FindIndex(deed => deed.StartsWith("commit", StringComparison.Ordinal)), string.Join(", ", deeds));
        Assert.Equal(_source.ChainIds, script.Asked.OfType<SnapshotterCommands.Commit>().Select(commit => commit.Name));
        Assert.Equal(1, deeds.Count(deed => deed == "apply"));
        Assert.DoesNotContain("remove snapshot", deeds);
    }

    [Fact]
    public async Task A_layer_that_was_extracted_before_its_upload_ended_is_not_committed_when_that_is_refused()
    {
        TreeScript script = new() { DiffIdOf = DiffIdOf, Forged = [_source.Layers[0].Digest] };
        TestProbe caller = Start(script);
        await AwaitAssertAsync(() => Assert.Contains("extract", script.Deeds), Patience);
        _rest.SetResult();

        Assert.Contains("unexpected commit digest", (await FinalOf(caller)).Error!.Text, StringComparison.Ordinal);
        AssertNothingLeft(script);
    }

    [Fact]
    public async Task What_cannot_be_extracted_while_it_comes_is_unpacked_when_it_is_stored()
    {
        TreeScript script = new() { DiffIdOf = DiffIdOf, Extraction = _ => Task.FromException(new InvalidOperationException("half a layer")) };
        TestProbe caller = Start(script);
        await AwaitAssertAsync(() => Assert.Contains("remove snapshot", script.Deeds), Patience);
        _rest.SetResult();

        Assert.Equal(PullStage.Completed, (await FinalOf(caller)).Stage);
        Assert.Equal(["extract", "apply", "apply"], script.Deeds.Where(deed => deed is "extract" or "apply"));
    }

    [Fact]
    public async Task A_layer_that_is_not_what_the_configuration_says_is_told_as_of_a_stored_one_and_leaves_nothing()
    {
        TreeScript script = new() { DiffIdOf = _ => Digest.Of("something else"u8) };
        TestProbe caller = Start(script);
        _rest.SetResult();
        Assert.StartsWith("wrong diff id", (await FinalOf(caller)).Error!.Message, StringComparison.Ordinal);
        AssertNothingLeft(script);
    }

    [Fact]
    public async Task A_pull_that_is_given_up_while_a_layer_is_extracted_leaves_nothing()
    {
        var closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        TreeScript script = new() { DiffIdOf = DiffIdOf, Extraction = _ => closed.Task };
        TestProbe caller = Start(script);
        await AwaitAssertAsync(() => Assert.Contains("extract", script.Deeds), Patience);
        Sys.Stop(caller);
        await AwaitAssertAsync(() => Assert.Empty(script.Open), Patience);
        Assert.DoesNotContain("release", script.Deeds);
        closed.SetException(new InvalidOperationException("the upload ended"));

        await AwaitAssertAsync(() => Assert.Equal("release", script.Deeds.Last()), Patience);
        AssertNothingLeft(script);
    }

    [Fact]
    public async Task Where_parents_must_come_first_the_lowest_layer_is_extracted_while_it_comes()
    {
        var whole = new TaskCompletionSource();
        TreeScript script = new() { DiffIdOf = DiffIdOf, NeedsParents = true, Extraction = _ => whole.Task };
        TestProbe caller = Start(script);
        await AwaitAssertAsync(() => Assert.Contains("extract", script.Deeds), Patience);
        _rest.SetResult();
        whole.SetResult();

        Assert.Equal(PullStage.Completed, (await FinalOf(caller)).Stage);
        Assert.Equal(["extract", "apply"], script.Deeds.Where(deed => deed is "extract" or "apply"));
        Assert.All(script.Asked.OfType<SnapshotterCommands.Commit>(), commit => Assert.Equal(("", 0), (commit.Parent, commit.Inherited.Length)));
    }

    private static void AssertNothingLeft(TreeScript script)
    {
        Assert.DoesNotContain(script.Deeds, deed => deed.Split(' ')[0] is "commit" or "image");
        Assert.Equal(
            script.Asked.OfType<SnapshotterCommands.Prepare>().Select(prepare => prepare.Key).Order(StringComparer.Ordinal),
            script.Asked.OfType<SnapshotCommands.Remove>().Select(remove => remove.Key).Order(StringComparer.Ordinal));
        Assert.Equal("release", script.Deeds.Last());
    }

    private Digest DiffIdOf(Digest layer) => layer == _source.Layers[0].Digest ? _source.DiffIds[0] : _source.DiffIds[1];

    private TestProbe Start(TreeScript script)
    {
        _source.Rest = _rest.Task;
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
