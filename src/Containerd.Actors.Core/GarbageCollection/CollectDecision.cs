// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Content;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.Images;
using Containerd.Actors.Core.Leases;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Oci.Images;

namespace Containerd.Actors.Core.GarbageCollection;

/// <summary>What follows from a request to collect garbage in a namespace.</summary>
public static class CollectDecision
{
    /// <summary>Removes everything that nothing keeps, snapshots without children first, and says what must stay on disk.</summary>
    /// <param name="state">The namespace.</param>
    /// <param name="command">The request.</param>
    /// <param name="containers">Its containers.</param>
    /// <param name="at">Now: leases and images expire against it.</param>
    public static Decision<Collected> Decide(
        this NamespaceState state, NamespaceCommands.Collect command, IEnumerable<ContainerRoot> containers, DateTimeOffset at)
    {
        Mark mark = Mark.Of(state, containers, command.Ingests, at);
        ImmutableArray<DomainEvent>.Builder events = ImmutableArray.CreateBuilder<DomainEvent>();
        ImmutableArray<GarbageNode>.Builder removed = ImmutableArray.CreateBuilder<GarbageNode>();
        foreach (string lease in state.Leases.Keys)
        {
            Remove(new GarbageNode(GarbageKind.Lease, lease), new LeaseEvents.Deleted(lease));
        }

        foreach (string image in state.Images.Keys)
        {
            Remove(new GarbageNode(GarbageKind.Image, image), new ImageEvents.Deleted(image));
        }

        foreach (SnapshotRecord snapshot in LeavesFirst(state, mark))
        {
            Remove(
                new GarbageNode(GarbageKind.Snapshot, snapshot.Key, snapshot.Snapshotter),
                new SnapshotEvents.Removed(snapshot.Snapshotter, snapshot.Key));
        }

        foreach (Digest digest in state.Content.Keys)
        {
            Remove(new GarbageNode(GarbageKind.Content, digest.ToString()), new ContentEvents.Removed(digest));
        }

        NamespaceState after = events.Aggregate(state, (now, e) => now.Apply(e));
        return Decision.Done(
            new Collected(
                removed.ToImmutable(),
                [.. after.Content.Keys],
                after.Snapshots.Values.GroupBy(snapshot => snapshot.Snapshotter).ToImmutableDictionary(
                    group => group.Key, group => group.Select(snapshot => snapshot.Backend).ToImmutableHashSet()),
                [
                    .. command.Ingests
                        .Where(ingest => ingest.Namespace == state.Name && !mark.Keeps(new GarbageNode(GarbageKind.Ingest, ingest.Reference)))
                        .Select(ingest => ingest.Reference)
                ]),
            events.ToImmutable());

        void Remove(GarbageNode node, DomainEvent e)
        {
            if (!mark.Keeps(node))
            {
                removed.Add(node);
                events.Add(e);
            }
        }
    }

    // A snapshot that is kept keeps its parent, so every child of one that is not kept goes too and can go before it.
    private static List<SnapshotRecord> LeavesFirst(NamespaceState state, Mark mark)
    {
        Dictionary<SnapshotName, int> children = [];
        var open = new Queue<SnapshotRecord>();
        foreach ((SnapshotName name, SnapshotRecord snapshot) in state.Snapshots)
        {
            children[name] = state.Children.GetValueOrDefault(name);
            if (children[name] == 0 && !mark.Keeps(new GarbageNode(GarbageKind.Snapshot, name.Key, name.Snapshotter)))
            {
                open.Enqueue(snapshot);
            }
        }

        List<SnapshotRecord> ordered = [];
        while (open.TryDequeue(out SnapshotRecord? snapshot))
        {
            ordered.Add(snapshot);
            var parent = new SnapshotName(snapshot.Snapshotter, snapshot.Parent);
            if (snapshot.Parent.Length > 0
                && children.ContainsKey(parent)
                && --children[parent] == 0
                && !mark.Keeps(new GarbageNode(GarbageKind.Snapshot, parent.Key, parent.Snapshotter)))
            {
                open.Enqueue(state.Snapshots[parent]);
            }
        }

        return ordered;
    }
}
