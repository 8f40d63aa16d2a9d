// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Content;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.Images;
using Containerd.Actors.Core.Leases;
using Containerd.Actors.Core.Mounts;
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
        this NamespaceState state, NamespaceCommands.Collect command, IEnumerable<ContainerRoot> containers, DateTimeOffset at) =>
        Collect(state, Mark.Of(state, containers, command.Ingests, at, command.SpareFrom), command.Ingests, isExplained: false);

    /// <summary>What a collection would remove now, each with its reason.</summary>
    /// <param name="state">The namespace.</param>
    /// <param name="query">The request.</param>
    /// <param name="containers">Its containers.</param>
    /// <param name="at">Now.</param>
    public static Collected Preview(
        this NamespaceState state, NamespaceQueries.Preview query, IEnumerable<ContainerRoot> containers, DateTimeOffset at) =>
        Collect(state, Mark.Of(state, containers, query.Ingests, at), query.Ingests, isExplained: true).Reply.Value;

    private static Decision<Collected> Collect(NamespaceState state, Mark mark, ImmutableArray<OpenIngest> ingests, bool isExplained)
    {
        ImmutableArray<DomainEvent>.Builder events = ImmutableArray.CreateBuilder<DomainEvent>();
        ImmutableArray<Condemned>.Builder removed = ImmutableArray.CreateBuilder<Condemned>();
        foreach (string lease in state.Leases.Keys)
        {
            Remove(new GarbageNode(GarbageKind.Lease, lease), 0, new LeaseEvents.Deleted(lease));
        }

        foreach (string image in state.Images.Keys)
        {
            Remove(new GarbageNode(GarbageKind.Image, image), 0, new ImageEvents.Deleted(image));
        }

        foreach (SnapshotRecord snapshot in LeavesFirst(state, mark))
        {
            Remove(
                new GarbageNode(GarbageKind.Snapshot, snapshot.Key, snapshot.Snapshotter),
                snapshot.Usage?.Size ?? 0,
                new SnapshotEvents.Removed(snapshot.Snapshotter, snapshot.Key));
        }

        foreach (ContentRecord content in state.Content.Values)
        {
            Remove(new GarbageNode(GarbageKind.Content, content.Digest.ToString()), content.Size, new ContentEvents.Removed(content.Digest));
        }

        foreach (string name in state.Activations.Keys)
        {
            Remove(new GarbageNode(GarbageKind.Mount, name), 0, new MountEvents.Deactivated(name, "nothing refers to it"));
        }

        NamespaceState after = events.Aggregate(state, (now, e) => now.Apply(e));
        ILookup<bool, OpenIngest> own = ingests.Where(ingest => ingest.Namespace == state.Name)
            .ToLookup(ingest => mark.Keeps(new GarbageNode(GarbageKind.Ingest, ingest.Reference)));
        return Decision.Done(
            new Collected(
                removed.ToImmutable(),
                [.. after.Content.Keys, .. own[true].Select(ingest => ingest.Expected).OfType<Digest>()],
                after.Snapshots.Values.GroupBy(snapshot => snapshot.Snapshotter).ToImmutableDictionary(
                    group => group.Key, group => group.Select(snapshot => snapshot.Backend).ToImmutableHashSet()),
                [.. own[false].Select(ingest => ingest.Reference)])
            {
                Activations = [.. after.Activations.Values.Select(activation => activation.Number)],
            },
            events.ToImmutable());

        void Remove(GarbageNode node, long bytes, DomainEvent e)
        {
            if (!mark.Keeps(node))
            {
                removed.Add(new Condemned(node, bytes, isExplained ? mark.Explain(node).Verdict : ""));
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
