// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Pulls;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Pulls;
using CsCheck;

namespace Containerd.Actors.Core.Tests.Pulls;

public sealed class PullPlanSpecs
{
    private static readonly Gen<(PlannedImage[] Images, Bounds Bounds, int Seed)> Pulls = Gen.Select(
        Gen.Select(Gen.Int[0, 6], Gen.Int[0, 3], Gen.Int[0, 2]).Array[0, 4],
        Gen.Select(Gen.Int[1, 4], Gen.Int[1, 4], Gen.Int[0, 3]).Select((fetches, unpacks, arrivals) => new Bounds(fetches, unpacks, arrivals)),
        Gen.Int[0, int.MaxValue - 1])
        .Select((images, bounds, seed) => (images.Select(image => Image(image.Item1, image.Item2, image.Item3)).ToArray(), bounds, seed));

    private sealed record Bounds(int Fetches, int Unpacks, int Arrivals);

    [Fact]
    public void Whatever_ends_first_each_blob_is_fetched_once_and_each_snapshot_committed_once_after_its_blob_and_its_parent() =>
        Pulls.Sample(pull => Run(pull.Images, pull.Bounds, pull.Seed), iter: 2000);

    [Fact]
    public void Layers_are_unpacked_at_once_up_to_the_bound_and_committed_in_order()
    {
        PullPlan plan = PullPlan.Of([Image(4, 0, 1)], 4, 3);
        plan = Enumerable.Range(0, 4).Aggregate(plan.Next().Plan, (stored, blob) => stored.Stored(blob));
        (plan, ImmutableArray<PullStep> steps) = plan.Next();
        Assert.Equal(
            [new PullStep.Unpack(0, IsDetached: false), new PullStep.Unpack(1, IsDetached: true), new PullStep.Unpack(2, IsDetached: true)], steps.ToArray());
        (plan, steps) = plan.Extracted(2).Extracted(1).Next();
        Assert.Equal([new PullStep.Unpack(3, IsDetached: true)], steps.ToArray());
        (plan, steps) = plan.Extracted(3).Unpacked(0).Next();
        Assert.Equal([new PullStep.Link(1)], steps.ToArray());
        (plan, steps) = plan.Unpacked(1).Next();
        Assert.Equal([new PullStep.Link(2)], steps.ToArray());
        (plan, steps) = plan.Unpacked(2).Next();
        Assert.Equal([new PullStep.Link(3)], steps.ToArray());
        Assert.Equal([new PullStep.Finish()], plan.Unpacked(3).Next().Steps.ToArray());
    }

    [Fact]
    public void Where_parents_must_come_first_each_layer_waits_for_the_one_below()
    {
        PullPlan plan = PullPlan.Of([Image(3, 0, 2)], 4, 64);
        plan = Enumerable.Range(0, 3).Aggregate(plan.Next().Plan, (stored, blob) => stored.Stored(blob)).Next().Plan;
        // The first snapshotter cannot, the second can.
        (plan, ImmutableArray<PullStep> steps) = plan.Attached(1).Attached(2).Next();
        Assert.Empty(steps);
        Assert.Equal([new PullStep.Unpack(1, IsDetached: false)], plan.Unpacked(0).Next().Steps.ToArray());
        Assert.Equal([new PullStep.Link(4)], plan.Extracted(4).Unpacked(3).Next().Steps.ToArray());
    }

    [Fact]
    public void A_layer_is_extracted_while_it_comes_and_committed_when_it_is_stored_and_its_parent_is_committed()
    {
        PullPlan plan = PullPlan.Of([Image(3, 0, 1)], 4, 2, arrivalsMax: 2).Next().Plan;
        (plan, ImmutableArray<PullStep> steps) = plan.Arriving(1).Arriving(0).Arriving(2).Next();
        Assert.Equal(
            [new PullStep.Unpack(0, IsDetached: false, IsArriving: true), new PullStep.Unpack(1, IsDetached: true, IsArriving: true)], steps.ToArray());
        Assert.Equal(LayerStage.Fetching, plan.StageOf(0));

        // Those that came do not take the place of one that still comes.
        (plan, steps) = plan.Stored(1).Next();
        Assert.Equal([new PullStep.Unpack(2, IsDetached: true, IsArriving: true)], steps.ToArray());
        Assert.Empty(plan.Extracted(1).Extracted(0).Next().Steps);
        (plan, steps) = plan.Extracted(1).Extracted(0).Stored(0).Next();
        Assert.Equal([new PullStep.Link(0)], steps.ToArray());
        Assert.Equal([new PullStep.Link(1)], plan.Unpacked(0).Next().Steps.ToArray());
    }

    [Fact]
    public void What_could_not_be_extracted_while_it_came_is_unpacked_once_it_is_stored()
    {
        PullPlan plan = PullPlan.Of([Image(1, 0, 1)], 4, 2, arrivalsMax: 2).Next().Plan.Arriving(0).Next().Plan;
        (plan, ImmutableArray<PullStep> steps) = plan.Missed(0).Next();
        Assert.Empty(steps);
        Assert.Equal([new PullStep.Unpack(0, IsDetached: false)], plan.Stored(0).Next().Steps.ToArray());
    }

    [Theory]
    [InlineData(1 << 20, 2, true)]
    [InlineData((1 << 20) - 1, 2, false)]
    [InlineData(1 << 20, 0, false)]
    public void Only_a_layer_of_more_than_its_first_bytes_is_extracted_while_it_comes_and_only_where_that_is_allowed(int bytes, int arrivalsMax, bool isExtracted)
    {
        Descriptor layer = Layer(1) with { Size = bytes };
        PullPlan plan = PullPlan.Of([new PlannedImage([layer], [layer], [Of("a")], ["overlayfs"])], 4, 2, arrivalsMax).Next().Plan;
        Assert.Equal(isExtracted, plan.Arriving(0).Next().Steps.Length == 1);
    }

    [Fact]
    public void A_stored_layer_does_not_wait_for_those_that_still_come()
    {
        PullPlan plan = PullPlan.Of([Image(4, 0, 1)], 4, 2, arrivalsMax: 2).Next().Plan.Arriving(0).Arriving(1).Next().Plan;
        Assert.Equal(
            [new PullStep.Unpack(2, IsDetached: true), new PullStep.Unpack(3, IsDetached: true)], plan.Stored(2).Stored(3).Next().Steps.ToArray());
    }

    [Fact]
    public void A_pull_of_nothing_finishes_at_once_and_once()
    {
        (PullPlan plan, ImmutableArray<PullStep> steps) = PullPlan.Of([], 1, 1).Next();
        Assert.Equal(new PullStep.Finish(), Assert.Single(steps));
        Assert.Empty(plan.Next().Steps);
    }

    [Fact]
    public void Layers_that_two_images_have_in_common_are_fetched_and_unpacked_once()
    {
        PullPlan plan = PullPlan.Of([Image(2, 0, 1), Image(3, 0, 1)], 4, 1);
        Assert.Equal(3, plan.Blobs.Length);
        Assert.Equal([-1, 0, 1], plan.Snapshots.Select(snapshot => snapshot.Parent));
    }

    [Fact]
    public void The_same_layer_twice_in_an_image_is_fetched_once_and_unpacked_twice()
    {
        Descriptor layer = Layer(1);
        PullPlan plan = PullPlan.Of([new PlannedImage([layer, layer], [layer, layer], [Of("a"), Of("a")], ["overlayfs"])], 4, 1);
        Assert.Single(plan.Blobs);
        Assert.Equal([0, 0], plan.Snapshots.Select(snapshot => snapshot.Blob));
    }

    [Fact]
    public void A_blob_is_done_when_all_that_is_unpacked_from_it_is()
    {
        PullPlan plan = PullPlan.Of([Image(1, 0, 2)], 1, 2).Next().Plan;
        Assert.Equal(LayerStage.Fetching, plan.StageOf(0));
        plan = plan.Stored(0);
        Assert.Equal(LayerStage.Stored, plan.StageOf(0));
        plan = plan.Next().Plan;
        Assert.Equal(LayerStage.Unpacking, plan.StageOf(0));
        Assert.Equal(LayerStage.Unpacking, plan.Unpacked(0).StageOf(0));
        Assert.Equal(LayerStage.Done, plan.Unpacked(0).Unpacked(1).StageOf(0));
    }

    private static void Run(PlannedImage[] images, Bounds bounds, int seed)
    {
        Random random = new(seed);
        PullPlan plan = PullPlan.Of(images, bounds.Fetches, bounds.Unpacks, bounds.Arrivals);
        HashSet<string> attached = [];
        HashSet<int> missed = [];
        HashSet<int> fetched = [];
        HashSet<int> unpacked = [];
        List<PullStep> underWay = [];
        int finished = 0;
        while (true)
        {
            (plan, ImmutableArray<PullStep> steps) = plan.Next();
            Assert.Empty(plan.Next().Steps);
            foreach (PullStep step in steps)
            {
                switch (step)
                {
                    case PullStep.Fetch fetch:
                        Assert.DoesNotContain(fetch.Blob, fetched);
                        break;
                    case PullStep.Unpack unpack:
                        PlannedSnapshot snapshot = plan.Snapshots[unpack.Snapshot];
                        Assert.DoesNotContain(unpack.Snapshot, unpacked);
                        Assert.NotEqual(unpack.IsArriving, fetched.Contains(snapshot.Blob));
                        Assert.False(unpack.IsArriving && missed.Contains(unpack.Snapshot));
                        Assert.Equal(unpack.IsDetached, snapshot.Parent >= 0 && !unpacked.Contains(snapshot.Parent));
                        Assert.False(unpack.IsDetached && attached.Contains(snapshot.Snapshotter));
                        break;
                    case PullStep.Link link:
                        Assert.DoesNotContain(link.Snapshot, unpacked);
                        Assert.True(plan.Snapshots[link.Snapshot].Parent < 0 || unpacked.Contains(plan.Snapshots[link.Snapshot].Parent));
                        Assert.Contains(plan.Snapshots[link.Snapshot].Blob, fetched);
                        break;
                    default:
                        finished++;
                        Assert.Empty(underWay);
                        break;
                }
            }

            underWay.AddRange(steps.Where(step => step is not PullStep.Finish));
            Assert.True(underWay.Count(step => step is PullStep.Fetch) <= bounds.Fetches);
            Assert.True(underWay.Count(step => step is PullStep.Unpack { IsArriving: false }) <= bounds.Unpacks);
            Assert.True(underWay.Count(step => step is PullStep.Unpack unpack && !fetched.Contains(plan.Snapshots[unpack.Snapshot].Blob)) <= bounds.Arrivals);
            if (underWay.Count == 0)
            {
                break;
            }

            foreach (PullStep.Fetch fetch in underWay.OfType<PullStep.Fetch>().Where(_ => random.Next(3) == 0))
            {
                plan = plan.Arriving(fetch.Blob);
            }

            // Any of those under way may end next, and sometimes several end before anybody looks.
            for (int ends = random.Next(1, underWay.Count + 1); ends > 0; ends--)
            {
                PullStep ended = underWay[random.Next(underWay.Count)];
                underWay.Remove(ended);
                plan = ended switch
                {
                    PullStep.Fetch fetch when fetched.Add(fetch.Blob) => plan.Stored(fetch.Blob),
                    PullStep.Unpack { IsDetached: true } unpack when random.Next(20) == 0 && attached.Add(plan.Snapshots[unpack.Snapshot].Snapshotter) =>
                        plan.Attached(unpack.Snapshot),
                    PullStep.Unpack { IsArriving: true } unpack when random.Next(4) == 0 && missed.Add(unpack.Snapshot) => plan.Missed(unpack.Snapshot),
                    PullStep.Unpack { IsArriving: true } unpack when random.Next(10) > 0 => plan.Extracted(unpack.Snapshot),
                    PullStep.Unpack { IsDetached: true } unpack when random.Next(10) > 0 => plan.Extracted(unpack.Snapshot),
                    PullStep.Unpack unpack when unpacked.Add(unpack.Snapshot) => plan.Unpacked(unpack.Snapshot),
                    PullStep.Link link when unpacked.Add(link.Snapshot) => plan.Unpacked(link.Snapshot),
                    _ => throw new InvalidOperationException($"{ended} was handed out twice"),
                };
            }
        }

        Assert.Equal((1, plan.Blobs.Length, plan.Snapshots.Length), (finished, fetched.Count, unpacked.Count));
        Assert.Equal(images.SelectMany(image => image.Blobs).Select(blob => blob.Digest).Distinct().Count(), fetched.Count);
    }

    // Layers are numbered, so that images with more of them share the lower ones.
    private static PlannedImage Image(int layers, int others, int snapshotters)
    {
        ImmutableArray<Descriptor> all = [.. Enumerable.Range(0, layers).Select(Layer)];
        return new PlannedImage(
            [.. all, .. Enumerable.Range(0, others).Select(i => Layer(100 + i))],
            snapshotters == 0 ? [] : all,
            snapshotters == 0 ? [] : [.. Enumerable.Range(0, layers).Select(i => Of($"diff {i}"))],
            [.. Enumerable.Range(0, snapshotters).Select(i => $"snapshotter{i}")]);
    }

    // Every fourth is too small to be looked at before it is there.
    private static Descriptor Layer(int number) => new(MediaTypes.OciLayerGzip, Of($"layer {number}"), number % 4 == 3 ? 10 : 1 << 20);

    private static Digest Of(string text) => Digest.Of(System.Text.Encoding.UTF8.GetBytes(text));
}
