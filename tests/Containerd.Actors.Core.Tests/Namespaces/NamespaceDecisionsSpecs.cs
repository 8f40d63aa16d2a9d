// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Content;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.GarbageCollection;
using Containerd.Actors.Core.Images;
using Containerd.Actors.Core.Leases;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Protocol.Callers;
using static Containerd.Actors.Core.Tests.Namespaces.Samples;

namespace Containerd.Actors.Core.Tests.Namespaces;

public sealed class NamespaceDecisionsSpecs
{
    private static readonly NamespaceState Leased =
        Empty.Then(Empty.Decide(new LeaseCommands.Create(Ns, "l", Labels(), By), Now));

    [Fact]
    public void The_first_write_makes_the_namespace() =>
        Assert.True(Empty.Then(Empty.Decide(new ImageCommands.Create(Ns, "a", Target(1), Labels(), null, By), Now)).Exists);

    [Fact]
    public void A_namespace_is_made_once()
    {
        NamespaceState made = Empty.Then(Empty.Decide(new NamespaceCommands.Create(Ns, Labels(), By)));
        Assert.Equal(
            "namespace \"default\": already exists", made.Decide(new NamespaceCommands.Create(Ns, Labels(), By)).Refusal());
    }

    [Fact]
    public void A_namespace_that_is_not_empty_stays()
    {
        NamespaceState full = Prepared(Empty, "k", "");
        full = full.Then(full.Decide(new ImageCommands.Create(Ns, "a", Target(1), Labels(), null, By), Now));
        full = full.Then(full.Decide(new ContentCommands.Add(Ns, Digest(1), 4, Labels(), "", By), Now));
        Assert.Equal(
            "namespace \"default\" must be empty, but it still has images, blobs, containers, snapshots on \"overlayfs\" snapshotter: "
            + "failed precondition",
            full.Decide(new NamespaceCommands.Delete(Ns, By), containers: 1).Refusal());
    }

    [Fact]
    public void Leases_do_not_keep_a_namespace() =>
        Assert.False(Leased.Then(Leased.Decide(new NamespaceCommands.Delete(Ns, By), containers: 0)).Exists);

    [Fact]
    public void Labels_of_a_namespace_are_masked_by_name_only() => Assert.Equal(
        "cannot update \"labels\" field",
        Empty.Decide(new NamespaceCommands.Update(Ns, Labels(), ["labels"], By)).Refusal());

    [Fact]
    public void A_label_may_take_4096_bytes()
    {
        Assert.Null(LabelRules.Validate(Labels(("k", new string('v', 4095)))));
        Assert.Equal(
            "label key and value length (4097 bytes) greater than maximum size (4096 bytes), key: k: invalid argument",
            LabelRules.Validate(Labels(("k", new string('v', 4096))))!.Text);
    }

    [Fact]
    public void Content_that_exists_is_leased_although_refused()
    {
        NamespaceState state = Leased.Then(Leased.Decide(new ContentCommands.Add(Ns, Digest(1), 4, Labels(), "", By), Now));
        var again = state.Decide(new ContentCommands.Add(Ns, Digest(1), 4, Labels(), "", Under("l")), Now);
        Assert.Equal($"content {Digest(1)}: already exists", again.Refusal());
        Assert.Contains(LeaseResources.Content(Digest(1)), state.After(again).Leases["l"].Resources);
    }

    [Fact]
    public void A_lease_that_does_not_exist_is_refused() => Assert.Equal(
        "lease does not exist: not found",
        Empty.Decide(new ContentCommands.Add(Ns, Digest(1), 4, Labels(), "", Under("none")), Now).Refusal());

    [Fact]
    public void A_target_that_exists_is_leased_although_refused()
    {
        NamespaceState state = Committed(Leased, "k", "chain");
        var again = state.Decide(
            new SnapshotCommands.Prepare(
                Ns, "overlayfs", SnapshotKind.Active, "k2", "", Labels((SnapshotDecisions.TargetLabel, "chain")), 9, Under("l")),
            Now);
        Assert.Equal("target snapshot \"chain\": already exists", again.Refusal());
        Assert.Contains(LeaseResources.Snapshot("overlayfs", "chain"), state.After(again).Leases["l"].Resources);
    }

    [Theory]
    [InlineData("k", "", "snapshot \"k\": already exists")]
    [InlineData("new", "none", "parent snapshot none does not exist: not found")]
    [InlineData("new", "k", "parent \"k\" is not committed snapshot: invalid argument")]
    public void Preparing_is_refused(string key, string parent, string error)
    {
        NamespaceState state = Prepared(Empty, "k", "");
        Assert.Equal(error, state.Decide(Prepare(key, parent), Now).Refusal());
    }

    [Fact]
    public void A_parent_is_not_removed_before_its_child()
    {
        NamespaceState state = Prepared(Committed(Empty, "k", "base"), "child", "base");
        Assert.Equal(
            "cannot remove snapshot with child: failed precondition",
            state.Decide(new SnapshotCommands.Remove(Ns, "overlayfs", "base", By)).Refusal());
        state = state.Then(state.Decide(new SnapshotCommands.Remove(Ns, "overlayfs", "child", By)));
        Assert.Empty(state.Then(state.Decide(new SnapshotCommands.Remove(Ns, "overlayfs", "base", By))).Snapshots);
    }

    [Fact]
    public void An_image_is_deleted_only_with_the_target_that_was_meant()
    {
        NamespaceState state = Empty.Then(Empty.Decide(new ImageCommands.Create(Ns, "a", Target(1), Labels(), null, By), Now));
        Assert.Equal(
            $"image \"a\" has target {Digest(1)}, not {Digest(2)}: not found",
            state.Decide(new ImageCommands.Delete(Ns, "a", Digest(2), By)).Refusal());
    }

    [Fact]
    public void A_savepoint_leads_to_the_same_state()
    {
        NamespaceState state = Prepared(Committed(Leased, "k", "base"), "child", "base");
        NamespaceState again = state.ToSavepoint().Events.Aggregate(Empty, (now, e) => now.Apply(e));
        Assert.Equal(state.Snapshots, again.Snapshots);
        Assert.Equal(state.Leases.Keys, again.Leases.Keys);
        Assert.Equal(state.Children, again.Children);
    }

    [Fact]
    public void Unreferenced_snapshots_go_leaves_first_and_referenced_ones_stay()
    {
        NamespaceState state = Prepared(Committed(Empty, "k", "base"), "child", "base");
        var collect = new NamespaceCommands.Collect(Ns, [], Caller.Policy("test"));
        var root = new ContainerRoot("c", "overlayfs", "child", Labels());
        Assert.Empty(state.Decide(collect, [root], Now).Events);
        Assert.Equal<DomainEvent>(
            [new SnapshotEvents.Removed("overlayfs", "child"), new SnapshotEvents.Removed("overlayfs", "base")],
            state.Decide(collect, [], Now).Events);
    }

    [Fact]
    public void What_a_lease_lists_stays_until_the_lease_expires()
    {
        NamespaceState state = Empty.Then(Empty.Decide(
            new LeaseCommands.Create(Ns, "l", Labels((GarbageLabels.Expire, "2026-01-02T03:04:06.123456789Z")), By), Now));
        state = state.Then(state.Decide(new ContentCommands.Add(Ns, Digest(1), 4, Labels(), "", Under("l")), Now));
        var collect = new NamespaceCommands.Collect(Ns, [], By);
        Assert.Empty(state.Decide(collect, [], Now).Events);
        Assert.Equal<DomainEvent>(
            [new LeaseEvents.Deleted("l"), new ContentEvents.Removed(Digest(1))],
            state.Decide(collect, [], Now.AddSeconds(2)).Events);
    }

    [Fact]
    public void Labels_lead_from_an_image_to_its_snapshot()
    {
        NamespaceState state = Committed(Empty, "k", "chain");
        state = state.Then(state.Decide(new ImageCommands.Create(Ns, "a", Target(1), Labels(), null, By), Now));
        state = state.Then(state.Decide(new ContentCommands.Add(
            Ns, Digest(1), 4, Labels(("containerd.io/gc.ref.content.config", Digest(2).ToString())), "", By), Now));
        state = state.Then(state.Decide(new ContentCommands.Add(
            Ns, Digest(2), 4, Labels(("containerd.io/gc.ref.snapshot.overlayfs", "chain")), "", By), Now));
        Assert.Empty(state.Decide(new NamespaceCommands.Collect(Ns, [], By), [], Now).Events);
        Assert.Equal(
            ["image a", $"content {Digest(1)}", $"content {Digest(2)}", "snapshot overlayfs chain"],
            Mark.Of(state, [], [], Now).Explain(new GarbageNode(GarbageKind.Snapshot, "chain", "overlayfs")).Kept
                .Select(step => step.Node.ToString()));
    }

    private static SnapshotCommands.Prepare Prepare(string key, string parent) =>
        new(Ns, "overlayfs", SnapshotKind.Active, key, parent, Labels(), 1, By);

    private static NamespaceState Prepared(NamespaceState state, string key, string parent) =>
        state.Then(state.Decide(Prepare(key, parent), Now));

    private static NamespaceState Committed(NamespaceState state, string key, string name)
    {
        NamespaceState prepared = Prepared(state, key, "");
        return prepared.Then(prepared.Decide(
            new SnapshotCommands.Commit(Ns, "overlayfs", name, key, Labels(), "", new SnapshotUsage(1, 1), By), Now));
    }
}
