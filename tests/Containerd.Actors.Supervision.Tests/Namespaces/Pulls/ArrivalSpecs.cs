// SPDX-License-Identifier: Apache-2.0

using Akka.TestKit;
using Containerd.Actors.Core.Diff;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Pulls;

namespace Containerd.Actors.Supervision.Tests.Namespaces.Pulls;

/// <summary>Pulls whose first layer comes in two pieces, the second when the test lets it.</summary>
public sealed class ArrivalSpecs : PullsFixture
{
    private readonly TaskCompletionSource _rest = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ArrivalSpecs() => Source = new FakeSource(layerBytes: 2 << 20);

    [Fact]
    public async Task A_layer_is_extracted_while_it_comes_and_committed_when_it_is_stored()
    {
        var whole = new TaskCompletionSource();
        TreeScript script = new() { DiffIdOf = DiffIdOf, Extraction = _ => whole.Task };
        TestProbe caller = Start(script);
        await AwaitAssertAsync(() => Assert.Contains("extract", script.Deeds), Patience);
        DiffCommands.Extract extract = script.Asked.OfType<DiffCommands.Extract>().Single();
        Assert.Equal((Source.Layers[0].Digest, ContentLabels.IngestKey(Source.Layers[0])), (extract.Layer.Digest, extract.Upload!.Reference));
        Assert.DoesNotContain(Source.Layers[0].Digest, script.Content.Keys);
        _rest.SetResult();
        whole.SetResult();

        Assert.Equal(PullStage.Completed, (await FinalOf(caller)).Stage);
        List<string> deeds = [.. script.Deeds];
        Assert.True(deeds.LastIndexOf("store layer") < deeds.FindIndex(deed => deed.StartsWith("commit", StringComparison.Ordinal)), string.Join(", ", deeds));
        Assert.Equal(Source.ChainIds, script.Asked.OfType<SnapshotterCommands.Commit>().Select(commit => commit.Name));
        Assert.Equal(1, deeds.Count(deed => deed == "apply"));
        Assert.DoesNotContain("remove snapshot", deeds);
    }

    [Fact]
    public async Task A_layer_that_was_extracted_before_its_upload_ended_is_not_committed_when_that_is_refused()
    {
        TreeScript script = new() { DiffIdOf = DiffIdOf, Forged = [Source.Layers[0].Digest] };
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

    private TestProbe Start(TreeScript script)
    {
        Source.Rest = _rest.Task;
        Source.Gate.SetResult();
        return Ask(Pulls(script, Bounds(arrivalsMax: 2)), Pull);
    }
}
