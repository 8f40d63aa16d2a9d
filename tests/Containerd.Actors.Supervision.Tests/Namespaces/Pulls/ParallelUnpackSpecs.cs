// SPDX-License-Identifier: Apache-2.0

using Akka.TestKit;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Pulls;

namespace Containerd.Actors.Supervision.Tests.Namespaces.Pulls;

public sealed class ParallelUnpackSpecs : PullsFixture
{
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
        Assert.Equal(Source.ChainIds, commits.Select(commit => commit.Name));
        Assert.Equal(("", Source.ChainIds[0]), (commits[0].Parent, commits[1].Parent));
        Assert.Empty(commits[0].Inherited);
        Assert.Equal(["", "etc"], commits[1].Inherited.ToArray());
        Assert.All(
            script.Asked.OfType<SnapshotterCommands.Prepare>(),
            prepare => Assert.Contains(prepare.Labels["containerd.io/snapshot.ref"], Source.ChainIds));
    }

    [Fact]
    public async Task Where_parents_must_come_first_layers_are_unpacked_one_after_the_other()
    {
        _first.SetResult();
        TreeScript script = new() { DiffIdOf = DiffIdOf, NeedsParents = true };
        Assert.Equal(PullStage.Completed, (await FinalOf(Start(script))).Stage);
        Assert.Equal(["apply", "apply"], script.Deeds.Where(deed => deed is "apply" or "extract"));
        Assert.Equal(
            ["", Source.ChainIds[0]], script.Asked.OfType<SnapshotterCommands.Prepare>().Where(prepare => !prepare.IsDetached).Select(prepare => prepare.Parent));
    }

    [Fact]
    public async Task What_was_extracted_is_removed_when_the_layer_below_it_is_refused()
    {
        TreeScript script = new()
        {
            DiffIdOf = layer => layer == Source.Layers[0].Digest ? Digest.Of("something else"u8) : DiffIdOf(layer),
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
        TreeScript script = new() { DiffIdOf = layer => layer == Source.Layers[1].Digest ? Digest.Of("something else"u8) : DiffIdOf(layer), AppliesAfter = _first.Task };
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

    private TestProbe Start(TreeScript script)
    {
        Source.Gate.SetResult();
        return Ask(Pulls(script, Bounds(unpacksMax: 4)), Pull);
    }
}
