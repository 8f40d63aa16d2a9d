// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Content;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.GarbageCollection;
using Containerd.Actors.Core.Images;
using Containerd.Actors.Core.Leases;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Protocol.Messages;
using CsCheck;
using static Containerd.Actors.Core.Tests.Namespaces.Samples;

namespace Containerd.Actors.Core.Tests.Namespaces;

/// <summary>Whatever is asked in whatever order, what must hold does.</summary>
public sealed class NamespaceHistorySpecs
{
    private static readonly Gen<string> Name = Gen.Int[0, 3].Select(number => $"n{number}");
    private static readonly Gen<string> Lease = Gen.Int[0, 4].Select(number => number > 2 ? "" : $"l{number}");
    private static readonly Gen<string> Parent = Gen.Int[0, 5].Select(number => number > 3 ? "" : $"n{number}");
    private static readonly Gen<ImmutableSortedDictionary<string, string>> SomeLabels = Gen.OneOf(
        Gen.Const(Labels()),
        Gen.Int[0, 3].Select(number => Labels(("containerd.io/gc.ref.content.0", Digest(number).ToString()))),
        Gen.Int[0, 3].Select(number => Labels(("containerd.io/gc.ref.snapshot.overlayfs", $"n{number}"))),
        Gen.Const(Labels((GarbageLabels.Expire, "2020-01-01T00:00:00Z"))));

    // A step takes the state to the next one and tells which events were decided and whether it was refused.
    private static readonly Gen<Func<NamespaceState, ImmutableArray<DomainEvent>>> Step = Gen.OneOf<Func<NamespaceState, ImmutableArray<DomainEvent>>>(
        Gen.Select(Name, Gen.Int[0, 3], SomeLabels, Lease).Select((name, digest, labels, lease) =>
            Of(state => state.Decide(new ImageCommands.Create(Ns, name, Target(digest), labels, null, Under(lease)), Now))),
        Name.Select(name => Of(state => state.Decide(new ImageCommands.Delete(Ns, name, null, By)))),
        Gen.Select(Gen.Int[0, 2], SomeLabels).Select((number, labels) =>
            Of(state => state.Decide(new LeaseCommands.Create(Ns, $"l{number}", labels, By), Now))),
        Gen.Int[0, 2].Select(number => Of(state => state.Decide(new LeaseCommands.Delete(Ns, $"l{number}", By)))),
        Gen.Select(Gen.Int[0, 3], SomeLabels, Lease).Select((digest, labels, lease) =>
            Of(state => state.Decide(new ContentCommands.Add(Ns, Digest(digest), 1, labels, "", Under(lease)), Now))),
        Gen.Select(Gen.Int[0, 3], Lease).Select((digest, lease) =>
            Of(state => state.Decide(new ContentCommands.Remove(Ns, Digest(digest), Under(lease))))),
        Gen.Select(Name, Parent, SomeLabels, Lease).Select((key, parent, labels, lease) => Of(state => state.Decide(
            new SnapshotCommands.Prepare(Ns, "overlayfs", SnapshotKind.Active, key, parent, labels, state.Snapshots.Count, Under(lease)), Now))),
        Gen.Select(Name, Name, Parent, Lease).Select((name, key, parent, lease) => Of(state => state.Decide(
            new SnapshotCommands.Commit(Ns, "overlayfs", name, key, Labels(), parent, new SnapshotUsage(1, 1), Under(lease)), Now))),
        Name.Select(key => Of(state => state.Decide(new SnapshotCommands.Remove(Ns, "overlayfs", key, By)))),
        Gen.Const(Of(state => Collecting(state))),
        Gen.Const(Of(state => state.Decide(new NamespaceCommands.Delete(Ns, By), containers: 0))));

    [Fact]
    public void Parents_exist_and_are_committed_and_children_are_counted() => Histories(state =>
    {
        foreach (SnapshotRecord snapshot in state.Snapshots.Values.Where(snapshot => snapshot.Parent.Length > 0))
        {
            Assert.Equal(SnapshotKind.Committed, state.Snapshots[new SnapshotName(snapshot.Snapshotter, snapshot.Parent)].Kind);
        }

        Assert.Equal(
            state.Snapshots.Values.Where(snapshot => snapshot.Parent.Length > 0)
                .CountBy(snapshot => new SnapshotName(snapshot.Snapshotter, snapshot.Parent)).Order(ByKey),
            state.Children.Order(ByKey));
    });

    [Fact]
    public void What_a_namespace_holds_is_nothing_unless_it_exists() => Histories(state => Assert.True(
        state.Exists || (state.Images.IsEmpty && state.Leases.IsEmpty && state.Content.IsEmpty && state.Snapshots.IsEmpty)));

    [Fact]
    public void A_savepoint_leads_to_what_the_events_led_to() => Histories(state =>
    {
        NamespaceState again = state.ToSavepoint().Events.Aggregate(Empty, (now, e) => now.Apply(e));
        Assert.Equal(state.Exists, again.Exists);
        Assert.Equal(state.Images, again.Images);
        Assert.Equal(state.Content, again.Content);
        Assert.Equal(state.Snapshots, again.Snapshots);
        Assert.Equal(state.Leases.Values.Select(Describe), again.Leases.Values.Select(Describe));
    });

    [Fact]
    public void Collecting_takes_nothing_that_an_image_or_a_lease_leads_to_and_leaves_nothing_else() => Histories(state =>
    {
        NamespaceState after = state.After(Collecting(state));
        foreach (ImageRecord image in after.Images.Values.Where(image => state.Content.ContainsKey(image.Target.Digest)))
        {
            Assert.True(after.Content.ContainsKey(image.Target.Digest));
        }

        foreach (LeaseResource resource in state.Leases.Values.Where(lease => lease.Labels.IsEmpty).SelectMany(lease => lease.Resources))
        {
            Assert.Equal(Exists(state, resource), Exists(after, resource));
        }

        Assert.All(after.Snapshots.Values, snapshot => Assert.True(
            snapshot.Parent.Length == 0 || after.Snapshots.ContainsKey(new SnapshotName(snapshot.Snapshotter, snapshot.Parent))));
        Assert.Empty(Collecting(after).Events);
    });

    private static Comparer<KeyValuePair<SnapshotName, int>> ByKey { get; } =
        Comparer<KeyValuePair<SnapshotName, int>>.Create((left, right) => left.Key.CompareTo(right.Key));

    private static void Histories(Action<NamespaceState> holds) => Step.Array[0, 40].Sample(steps =>
    {
        NamespaceState state = Empty;
        foreach (Func<NamespaceState, ImmutableArray<DomainEvent>> step in steps)
        {
            foreach (DomainEvent e in step(state))
            {
                state = state.Apply(e);
            }

            holds(state);
        }
    });

    private static Decision<Collected> Collecting(NamespaceState state) =>
        state.Decide(new NamespaceCommands.Collect(Ns, [], By), [], Now);

    private static Func<NamespaceState, ImmutableArray<DomainEvent>> Of<T>(Func<NamespaceState, Decision<T>> decide) =>
        state => decide(state).Events;

    private static bool Exists(NamespaceState state, LeaseResource resource) => resource.Type switch
    {
        LeaseResources.ContentType => state.Content.ContainsKey(Oci.Images.Digest.Parse(resource.Id)),
        LeaseResources.ImageType => state.Images.ContainsKey(resource.Id),
        _ => state.Snapshots.ContainsKey(new SnapshotName(resource.Snapshotter()!, resource.Id)),
    };

    private static string Describe(LeaseRecord lease) =>
        $"{lease.Id} {string.Join(',', lease.Labels)} {string.Join(',', lease.Listed())}";
}
