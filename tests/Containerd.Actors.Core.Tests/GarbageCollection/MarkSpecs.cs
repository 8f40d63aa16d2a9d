// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Content;
using Containerd.Actors.Core.GarbageCollection;
using Containerd.Actors.Core.Images;
using Containerd.Actors.Core.Leases;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Protocol.Messages;
using static Containerd.Actors.Core.Tests.Namespaces.Samples;

namespace Containerd.Actors.Core.Tests.GarbageCollection;

public sealed class MarkSpecs
{
    private static readonly GarbageNode Blob = new(GarbageKind.Content, Digest(9).ToString());
    private static readonly GarbageNode Layer = new(GarbageKind.Snapshot, "layer", "overlayfs");
    private static readonly GarbageNode Expired = new(GarbageKind.Image, "expired");

    // A blob, a snapshot and an expired image that nothing keeps.
    private static readonly NamespaceState Garbage = With(With(With(Empty, Digest(9)), "layer"), "expired", Past);

    private static (string, string) Past => (GarbageLabels.Expire, "2025-01-01T00:00:00Z");

    [Fact]
    public void Nothing_keeps_what_is_alone()
    {
        Mark mark = Marked(Garbage);
        Assert.All([Blob, Layer, Expired], node => Assert.False(mark.Keeps(node)));
        Assert.Empty(mark.Explain(Blob).Kept);
    }

    [Theory]
    [InlineData("containerd.io/gc.ref.content", true)]
    [InlineData("containerd.io/gc.ref.content.config", true)]
    [InlineData("containerd.io/gc.ref.content.l.0", true)]
    [InlineData("containerd.io/gc.ref.content/x", true)]
    [InlineData("containerd.io/gc.ref.contents", false)]
    [InlineData("containerd.io/gc.ref", false)]
    [InlineData("containerd.io/gc.ref.stream", false)]
    public void A_label_keeps_content(string label, bool keeps)
    {
        var to = (label, Blob.Id);
        Assert.Equal(keeps, Marked(With(Garbage, "image", to)).Keeps(Blob));
        Assert.Equal(keeps, Marked(With(Garbage, Digest(1), Root, to)).Keeps(Blob));
        Assert.Equal(keeps, Marked(With(Garbage, "snapshot", SnapshotKind.Active, Root, to)).Keeps(Blob));
        Assert.Equal(keeps, Mark.Of(Garbage, [new ContainerRoot("c", "", "", Labels(to))], [], Now).Keeps(Blob));
    }

    [Theory]
    [InlineData("containerd.io/gc.ref.snapshot.overlayfs", true)]
    [InlineData("containerd.io/gc.ref.snapshot.overlayfs/1", true)]
    [InlineData("containerd.io/gc.ref.snapshot.native", false)]
    [InlineData("containerd.io/gc.ref.snapshot", false)]
    public void A_label_keeps_a_snapshot(string label, bool keeps) =>
        Assert.Equal(keeps, Marked(With(Garbage, "image", (label, "layer"))).Keeps(Layer));

    [Theory]
    [InlineData("containerd.io/gc.ref.image", true)]
    [InlineData("containerd.io/gc.ref.image.x", true)]
    [InlineData("containerd.io/gc.ref.images", false)]
    public void A_label_keeps_an_image_that_expired(string label, bool keeps) =>
        Assert.Equal(keeps, Marked(With(Garbage, "image", (label, "expired"))).Keeps(Expired));

    [Fact]
    public void A_root_label_keeps_content_and_snapshots()
    {
        Mark mark = Marked(With(With(Empty, Digest(1), Root), "s", SnapshotKind.Active, Root));
        Assert.True(mark.Keeps(new GarbageNode(GarbageKind.Content, Digest(1).ToString())));
        Assert.True(mark.Keeps(new GarbageNode(GarbageKind.Snapshot, "s", "overlayfs")));
    }

    [Theory]
    [InlineData("containerd.io/gc.bref.container", "c", true)]
    [InlineData("containerd.io/gc.bref.container", "other", false)]
    [InlineData("containerd.io/gc.bref.image", "image", true)]
    [InlineData("containerd.io/gc.bref.image", "expired", false)]
    [InlineData("containerd.io/gc.bref.snapshot.overlayfs", "root", true)]
    public void A_back_reference_keeps_as_long_as_what_it_names(string label, string keeper, bool keeps)
    {
        NamespaceState state = With(With(Garbage, "image"), "root", SnapshotKind.Active, Root);
        Mark mark = Mark.Of(With(state, Digest(2), (label, keeper)), [new ContainerRoot("c", "", "", Labels())], [], Now);
        Assert.Equal(keeps, mark.Keeps(new GarbageNode(GarbageKind.Content, Digest(2).ToString())));
    }

    [Theory]
    [InlineData("usedat<1h|key", "2026-01-02T03:00:00Z", true)]
    [InlineData("usedat<1m|key", "2026-01-02T03:00:00Z", false)]
    [InlineData("usedat>1m|key", "2026-01-02T03:00:00Z", true)]
    [InlineData("usedat<1m|key,usedat>1m|key", "2026-01-02T03:00:00Z", true)]
    [InlineData("usedat<1h|other", "2026-01-02T03:00:00Z", false)]
    [InlineData("usedat<1h|key", "nonsense", false)]
    [InlineData("usedat<nonsense|key", "2026-01-02T03:00:00Z", false)]
    public void A_condition_keeps_while_it_holds(string condition, string usedAt, bool keeps)
    {
        NamespaceState state = With(Empty, "key", SnapshotKind.Active, Root, (GarbageLabels.UsedAt, usedAt));
        state = With(state, Digest(1), ("containerd.io/gc.cond.snapshot.overlayfs", condition));
        Assert.Equal(keeps, Marked(state).Keeps(new GarbageNode(GarbageKind.Content, Digest(1).ToString())));
    }

    [Theory]
    [InlineData("2026-01-02T03:04:04Z", false)]
    [InlineData("2026-01-02T03:04:06Z", true)]
    [InlineData("2026-01-02T03:04:05.999999999Z", true)]
    [InlineData("2026-01-02T05:04:04+02:00", false)]
    [InlineData("nonsense", true)]
    public void A_lease_keeps_until_it_expires(string expire, bool keeps)
    {
        NamespaceState state = Leasing(Garbage, [(GarbageLabels.Expire, expire)], LeaseResources.Content(Digest(9)));
        Assert.Equal(keeps, Marked(state).Keeps(Blob));
        Assert.Equal(keeps, Marked(state).Keeps(new GarbageNode(GarbageKind.Lease, "l")));
    }

    [Fact]
    public void A_lease_keeps_what_labels_of_its_resources_name_unless_it_is_flat()
    {
        NamespaceState state = With(Garbage, Digest(1), ("containerd.io/gc.ref.content", Blob.Id));
        Assert.True(Marked(Leasing(state, [], LeaseResources.Content(Digest(1)))).Keeps(Blob));
        Mark flat = Marked(Leasing(state, [(GarbageLabels.Flat, "1")], LeaseResources.Content(Digest(1))));
        Assert.True(flat.Keeps(new GarbageNode(GarbageKind.Content, Digest(1).ToString())));
        Assert.True(flat.Keeps(new GarbageNode(GarbageKind.Lease, "l")));
        Assert.False(flat.Keeps(Blob));
    }

    [Fact]
    public void A_flat_lease_keeps_parents_and_targets()
    {
        NamespaceState state = With(With(Garbage, "child", SnapshotKind.Active, "layer"), Digest(1));
        Mark mark = Marked(Leasing(
            state, [(GarbageLabels.Flat, "1")], LeaseResources.Snapshot("overlayfs", "child"), LeaseResources.Image("expired")));
        Assert.True(mark.Keeps(Layer));
        Assert.True(mark.Keeps(new GarbageNode(GarbageKind.Content, Digest(1).ToString())));
        Assert.Equal(["lease l", "snapshot overlayfs child", "snapshot overlayfs layer"], mark.Explain(Layer).Kept.Select(step => step.Node.ToString()));
    }

    [Fact]
    public void An_ingest_keeps_what_it_expects_for_a_day()
    {
        var ingest = new OpenIngest(Ns, "r", Now.AddHours(1), Digest(9));
        Assert.True(Mark.Of(Garbage, [], [ingest], Now).Keeps(Blob));
        Assert.False(Mark.Of(Garbage, [], [ingest with { ExpiresAt = Now }], Now).Keeps(Blob));
        Assert.False(Mark.Of(Garbage, [], [ingest with { Namespace = "other" }], Now).Keeps(Blob));
    }

    [Fact]
    public void An_old_ingest_is_given_up_unless_a_lease_keeps_it()
    {
        var collect = new NamespaceCommands.Collect(Ns, [new OpenIngest(Ns, "r", DateTimeOffset.MinValue, Digest(5))], By);
        Assert.Equal<string>(["r"], Empty.Decide(collect, [], Now).Reply.Value.Ingests);
        Assert.Empty(Leasing(Empty, [], LeaseResources.Ingest("r")).Decide(collect, [], Now).Reply.Value.Ingests);
    }

    [Fact]
    public void Bytes_that_a_living_ingest_expects_stay_although_the_namespace_does_not_see_them()
    {
        var collect = new NamespaceCommands.Collect(Ns, [new OpenIngest(Ns, "r", Now.AddHours(1), Digest(5))], By);
        Assert.Equal([Digest(5)], Empty.Decide(collect, [], Now).Reply.Value.Content);
        collect = collect with { Ingests = [new OpenIngest(Ns, "r", Now.AddHours(-1), Digest(5))] };
        Assert.Empty(Empty.Decide(collect, [], Now).Reply.Value.Content);
    }

    [Fact]
    public void The_way_from_a_root_says_what_each_step_is()
    {
        NamespaceState state = With(Garbage, Digest(1), ("containerd.io/gc.ref.content.l.0", Blob.Id));
        state = With(state, "image", (GarbageLabels.Expire, "2027-01-01T00:00:00Z"));
        GarbageExplanation explanation = Marked(state).Explain(Blob);
        Assert.Equal(
            [
                "image image: image until 2027-01-01T00:00:00Z",
                $"content {Digest(1)}: target of the image",
                $"{Blob}: label containerd.io/gc.ref.content.l.0",
            ],
            explanation.Kept.Select(step => $"{step.Node}: {step.Reason}"));
        Assert.Equal("kept by image image", explanation.Verdict);
        Assert.Empty(explanation.InVain);
    }

    [Fact]
    public void What_names_a_thing_in_vain_is_told()
    {
        Assert.Equal("nothing refers to it", Marked(Garbage).Explain(Blob).Verdict);
        Assert.Equal("expired at 2025-01-01T00:00:00Z; nothing refers to it", Marked(Garbage).Explain(Expired).Verdict);
        NamespaceState state = With(Garbage, "named", Past, ("containerd.io/gc.ref.content", Blob.Id));
        GarbageExplanation explanation = Marked(state).Explain(Blob);
        Assert.Equal("only image named refers to it, which nothing keeps", explanation.Verdict);
        Assert.Equal(["image named: label containerd.io/gc.ref.content"], explanation.InVain.Select(step => $"{step.Node}: {step.Reason}"));
        state = Leasing(
            With(Garbage, Digest(1), ("containerd.io/gc.ref.content", Blob.Id)), [(GarbageLabels.Flat, "1")], LeaseResources.Content(Digest(1)));
        Assert.Equal(
            $"only content {Digest(1)} refers to it, which a flat lease keeps without what it refers to", Marked(state).Explain(Blob).Verdict);
    }

    [Fact]
    public void Things_are_found_by_name_and_by_the_start_of_a_digest()
    {
        Assert.Equal([Blob], Found(Blob.Id));
        Assert.Equal([Blob], Found(Blob.Id[..13]));
        Assert.Equal([Blob], Found(Blob.Id["sha256:".Length..][..6]));
        Assert.Equal([Layer], Found("layer"));
        Assert.Equal([Expired], Found("expired"));
        Assert.Equal(
            "nobody: no content, snapshot, image, lease, container, mount or ingest goes by it here: not found",
            Assert.IsType<Refused<ImmutableArray<GarbageExplanation>>>(Marked(Garbage).Explain("nobody")).Error.Text);
        Assert.IsType<Refused<ImmutableArray<GarbageExplanation>>>(Marked(Garbage).Explain(Blob.Id["sha256:".Length..][..5]));

        static IEnumerable<GarbageNode> Found(string name) => Marked(Garbage).Explain(name).Value.Select(explanation => explanation.Thing);
    }

    [Fact]
    public void A_preview_removes_what_a_collection_does_and_says_why()
    {
        NamespaceState state = With(Garbage, Digest(1), ("containerd.io/gc.ref.content", Blob.Id));
        Collected preview = state.Preview(new NamespaceQueries.Preview(Ns, []), [], Now);
        Collected collected = state.Decide(new NamespaceCommands.Collect(Ns, [], By), [], Now).Reply.Value;
        Assert.Equal(collected.Removed.Select(thing => (thing.Node, thing.Bytes)), preview.Removed.Select(thing => (thing.Node, thing.Bytes)));
        Assert.Equal(collected.Content, preview.Content);
        Assert.Equal(
            $"only content {Digest(1)} refers to it, which nothing keeps", preview.Removed.Single(thing => thing.Node == Blob).Reason);
        Assert.All(collected.Removed, thing => Assert.Empty(thing.Reason));
    }

    [Fact]
    public void What_was_made_since_a_moment_is_spared_with_all_it_refers_to()
    {
        NamespaceState state = With(With(Garbage, Digest(1), ("containerd.io/gc.ref.content", Blob.Id)), "child", SnapshotKind.Active, "layer");
        GarbageNode child = new(GarbageKind.Snapshot, "child", "overlayfs");
        GarbageNode old = new(GarbageKind.Content, Digest(2).ToString());
        state = state.Apply(new ContentEvents.Added(new ContentRecord(Digest(2), 1, Labels(), Now.AddTicks(-1), Now)));
        var collect = new NamespaceCommands.Collect(Ns, [], By, SpareFrom: Now);
        Assert.Equal([Expired, old], state.Decide(collect, [], Now).Reply.Value.Removed.Select(thing => thing.Node));
        Assert.Equal("kept: made since 2026-01-02T03:04:05Z", Mark.Of(state, [], [], Now, spareFrom: Now).Explain(child).Verdict);
        Mark later = Mark.Of(state, [], [], Now, spareFrom: Now.AddTicks(1));
        Assert.All([Blob, Layer, child, old], node => Assert.False(later.Keeps(node)));
    }

    [Fact]
    public void References_that_go_round_end()
    {
        NamespaceState state = With(
            With(Empty, Digest(1), ("containerd.io/gc.ref.content", Digest(2).ToString())),
            Digest(2),
            ("containerd.io/gc.ref.content", Digest(1).ToString()));
        Assert.Equal(2, state.Decide(new NamespaceCommands.Collect(Ns, [], By), [], Now).Events.Length);
    }

    [Fact]
    public void What_stays_is_told_by_snapshotter()
    {
        NamespaceState state = With(With(With(Garbage, Digest(1)), "image"), "rooted", SnapshotKind.Active, Root);
        Collected collected = state.Decide(new NamespaceCommands.Collect(Ns, [], By), [], Now).Reply.Value;
        Assert.Equal([Digest(1)], collected.Content);
        Assert.Equal([7L], collected.Backends["overlayfs"]);
        Assert.Equal([Expired, Layer, Blob], collected.Removed.Select(thing => thing.Node));
    }

    private static (string, string) Root => (GarbageLabels.Root, "1");

    private static Mark Marked(NamespaceState state) => Mark.Of(state, [], [], Now);

    private static NamespaceState With(NamespaceState state, string image, params (string, string)[] labels) =>
        image == "layer"
            ? With(state, image, SnapshotKind.Committed)
            : state.Apply(new ImageEvents.Created(new ImageRecord(image, Target(1), Labels(labels), Now, Now)));

    private static NamespaceState With(NamespaceState state, Oci.Images.Digest digest, params (string, string)[] labels) =>
        state.Apply(new ContentEvents.Added(new ContentRecord(digest, 1, Labels(labels), Now, Now)));

    private static NamespaceState With(NamespaceState state, string key, SnapshotKind kind, params (string, string)[] labels) =>
        state.Apply(new SnapshotEvents.Prepared(new SnapshotRecord("overlayfs", key, "", kind, Labels(labels), 7, null, Now, Now)));

    private static NamespaceState With(NamespaceState state, string key, SnapshotKind kind, string parent) =>
        state.Apply(new SnapshotEvents.Prepared(new SnapshotRecord("overlayfs", key, parent, kind, Labels(), 8, null, Now, Now)));

    private static NamespaceState Leasing(NamespaceState state, (string, string)[] labels, params ImmutableArray<LeaseResource> resources) =>
        resources.Aggregate(
            state.Apply(new LeaseEvents.Created("l", Labels(labels), Now)),
            (now, resource) => now.Apply(new LeaseEvents.ResourceAdded("l", resource)));
}
