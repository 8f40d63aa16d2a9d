// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Content;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.Images;
using Containerd.Actors.Core.Leases;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Oci.Images;

namespace Containerd.Actors.Core.Namespaces;

/// <summary>Name of a snapshot within a namespace; ordered by snapshotter, then key, in byte order.</summary>
public readonly record struct SnapshotName(string Snapshotter, string Key) : IComparable<SnapshotName>
{
    /// <inheritdoc />
    public int CompareTo(SnapshotName other)
    {
        int bySnapshotter = string.CompareOrdinal(Snapshotter, other.Snapshotter);
        return bySnapshotter != 0 ? bySnapshotter : string.CompareOrdinal(Key, other.Key);
    }

    /// <summary>Order by <see cref="CompareTo"/>.</summary>
    public static bool operator <(SnapshotName left, SnapshotName right) => left.CompareTo(right) < 0;

    /// <summary>Order by <see cref="CompareTo"/>.</summary>
    public static bool operator >(SnapshotName left, SnapshotName right) => left.CompareTo(right) > 0;

    /// <summary>Order by <see cref="CompareTo"/>.</summary>
    public static bool operator <=(SnapshotName left, SnapshotName right) => left.CompareTo(right) <= 0;

    /// <summary>Order by <see cref="CompareTo"/>.</summary>
    public static bool operator >=(SnapshotName left, SnapshotName right) => left.CompareTo(right) >= 0;
}

/// <summary>
/// The records of one namespace: its labels, images, leases, content, snapshots and mounts. One entity, because garbage collection must see
/// and change them together, and no reference crosses a namespace.
/// </summary>
/// <param name="Name">The namespace.</param>
public sealed record NamespaceState(string Name)
{
    /// <summary>False before the first write and after deletion.</summary>
    public bool Exists { get; init; }

    /// <summary>Labels of the namespace.</summary>
    public ImmutableSortedDictionary<string, string> Labels { get; init; } = Protocol.Values.Labels.None;

    /// <summary>Images by name, in byte order.</summary>
    public ImmutableSortedDictionary<string, ImageRecord> Images { get; init; } =
        ImmutableSortedDictionary.Create<string, ImageRecord>(StringComparer.Ordinal);

    /// <summary>Leases by id, in byte order.</summary>
    public ImmutableSortedDictionary<string, LeaseRecord> Leases { get; init; } =
        ImmutableSortedDictionary.Create<string, LeaseRecord>(StringComparer.Ordinal);

    /// <summary>Visible content by digest, in byte order.</summary>
    public ImmutableSortedDictionary<Digest, ContentRecord> Content { get; init; } =
        ImmutableSortedDictionary<Digest, ContentRecord>.Empty;

    /// <summary>Snapshots by snapshotter and key, in byte order.</summary>
    public ImmutableSortedDictionary<SnapshotName, SnapshotRecord> Snapshots { get; init; } =
        ImmutableSortedDictionary<SnapshotName, SnapshotRecord>.Empty;

    /// <summary>How many snapshots have this one as parent; follows from <see cref="Snapshots"/>, absent for none.</summary>
    public ImmutableDictionary<SnapshotName, int> Children { get; init; } = ImmutableDictionary<SnapshotName, int>.Empty;

    /// <summary>Mounts that the daemon holds, by name, in byte order.</summary>
    public ImmutableSortedDictionary<string, Activation> Activations { get; init; } =
        ImmutableSortedDictionary.Create<string, Activation>(StringComparer.Ordinal);

    /// <summary>The state after one more event. Events of other entities change nothing.</summary>
    public NamespaceState Apply(DomainEvent e) => e switch
    {
        NamespaceEvents.Created created => this with { Exists = true, Labels = created.Labels },
        NamespaceEvents.Updated updated => this with { Labels = updated.Labels },
        NamespaceEvents.Deleted => new NamespaceState(Name),
        ImageEvents.Created created => this with { Images = Images.SetItem(created.Image.Name, created.Image) },
        ImageEvents.Updated updated => this with { Images = Images.SetItem(updated.Image.Name, updated.Image) },
        ImageEvents.Deleted deleted => this with { Images = Images.Remove(deleted.Name) },
        LeaseEvents.Created created => this with
        {
            Leases = Leases.SetItem(created.Id, new LeaseRecord(created.Id, created.Labels, created.CreatedAt, [])),
        },
        LeaseEvents.Deleted deleted => this with { Leases = Leases.Remove(deleted.Id) },
        LeaseEvents.ResourceAdded added => WithResources(added.Id, resources => resources.Add(added.Resource)),
        LeaseEvents.ResourceRemoved removed => WithResources(removed.Id, resources => resources.Remove(removed.Resource)),
        ContentEvents.Added added => this with { Content = Content.SetItem(added.Content.Digest, added.Content) },
        ContentEvents.Updated updated => this with { Content = Content.SetItem(updated.Content.Digest, updated.Content) },
        ContentEvents.Removed removed => this with { Content = Content.Remove(removed.Digest) },
        SnapshotEvents.Prepared prepared => With(prepared.Snapshot),
        SnapshotEvents.Committed committed => Without(committed.Snapshot.Snapshotter, committed.Key).With(committed.Snapshot),
        SnapshotEvents.Updated updated => With(updated.Snapshot),
        SnapshotEvents.Removed removed => Without(removed.Snapshotter, removed.Key),
        MountEvents.Activated activated => this with { Activations = Activations.SetItem(activated.Activation.Name, activated.Activation) },
        MountEvents.Deactivated deactivated => this with { Activations = Activations.Remove(deactivated.Name) },
        _ => this,
    };

    /// <summary>The shortest list of events that leads from nothing to this state.</summary>
    public Savepoint ToSavepoint()
    {
        if (!Exists)
        {
            return new Savepoint([]);
        }

        return new Savepoint(
        [
            new NamespaceEvents.Created(Labels),
            .. Images.Values.Select(image => new ImageEvents.Created(image)),
            .. Leases.Values.SelectMany(lease => lease.Resources
                .Select(DomainEvent (resource) => new LeaseEvents.ResourceAdded(lease.Id, resource))
                .Prepend(new LeaseEvents.Created(lease.Id, lease.Labels, lease.CreatedAt))),
            .. Content.Values.Select(content => new ContentEvents.Added(content)),
            .. Snapshots.Values.Select(snapshot => new SnapshotEvents.Prepared(snapshot)),
            .. Activations.Values.Select(activation => new MountEvents.Activated(activation)),
        ]);
    }

    /// <summary>The events with the making of the namespace before them, if it does not exist: the first write makes it.</summary>
    internal ImmutableArray<DomainEvent> Opening(params ImmutableArray<DomainEvent> events) =>
        Exists || events.IsEmpty ? events : [new NamespaceEvents.Created(Protocol.Values.Labels.None), .. events];

    private NamespaceState WithResources(
        string lease, Func<ImmutableHashSet<LeaseResource>, ImmutableHashSet<LeaseResource>> change) =>
        Leases.TryGetValue(lease, out LeaseRecord? record)
            ? this with { Leases = Leases.SetItem(lease, record with { Resources = change(record.Resources) }) }
            : this;

    private NamespaceState With(SnapshotRecord snapshot)
    {
        var name = new SnapshotName(snapshot.Snapshotter, snapshot.Key);
        NamespaceState state = Without(snapshot.Snapshotter, snapshot.Key);
        return state with
        {
            Snapshots = state.Snapshots.SetItem(name, snapshot),
            Children = Count(state.Children, snapshot, +1),
        };
    }

    private NamespaceState Without(string snapshotter, string key)
    {
        var name = new SnapshotName(snapshotter, key);
        return Snapshots.TryGetValue(name, out SnapshotRecord? snapshot)
            ? this with { Snapshots = Snapshots.Remove(name), Children = Count(Children, snapshot, -1) }
            : this;
    }

    private static ImmutableDictionary<SnapshotName, int> Count(
        ImmutableDictionary<SnapshotName, int> children, SnapshotRecord child, int by)
    {
        if (child.Parent.Length == 0)
        {
            return children;
        }

        var parent = new SnapshotName(child.Snapshotter, child.Parent);
        int count = children.GetValueOrDefault(parent) + by;
        return count == 0 ? children.Remove(parent) : children.SetItem(parent, count);
    }
}
