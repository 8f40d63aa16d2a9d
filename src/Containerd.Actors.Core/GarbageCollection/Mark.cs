// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Content;
using Containerd.Actors.Core.Images;
using Containerd.Actors.Core.Leases;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Oci.Images;

namespace Containerd.Actors.Core.GarbageCollection;

/// <summary>
/// What can be reached from the roots of one namespace at one moment. Only labels, leases, parents and targets are followed;
/// manifests are never read.
/// </summary>
public sealed class Mark
{
    /// <summary>Age at which an ingest that no lease keeps is garbage.</summary>
    public static readonly TimeSpan IngestLife = TimeSpan.FromHours(24);

    private readonly NamespaceState _state;
    private readonly Dictionary<string, ContainerRoot> _containers;
    private readonly Dictionary<string, OpenIngest> _ingests;
    private readonly DateTimeOffset _now;
    private readonly Dictionary<GarbageNode, List<GarbageNode>> _backReferences = [];

    // What was reached, with what it was reached from; roots are reached from nothing. The second one does not follow labels.
    private readonly Dictionary<GarbageNode, GarbageNode?> _reached = [];
    private readonly Dictionary<GarbageNode, GarbageNode?> _reachedFlat = [];

    private Mark(NamespaceState state, IEnumerable<ContainerRoot> containers, IEnumerable<OpenIngest> ingests, DateTimeOffset now)
    {
        _state = state;
        _containers = containers.ToDictionary(container => container.ContainerId);
        _ingests = ingests.Where(ingest => ingest.Namespace == state.Name)
            .GroupBy(ingest => ingest.Reference).ToDictionary(group => group.Key, group => group.MaxBy(ingest => ingest.StartedAt)!);
        _now = now;
    }

    /// <summary>Marks a namespace.</summary>
    public static Mark Of(NamespaceState state, IEnumerable<ContainerRoot> containers, IEnumerable<OpenIngest> ingests, DateTimeOffset now)
    {
        var mark = new Mark(state, containers, ingests, now);
        mark.ReadBackReferences();
        Walk(mark.Roots(), mark._reached, mark.Edges);
        Walk(mark.FlatRoots(), mark._reachedFlat, mark.FlatEdges);
        return mark;
    }

    /// <summary>True when something keeps it.</summary>
    public bool Keeps(GarbageNode node) => _reached.ContainsKey(node) || _reachedFlat.ContainsKey(node);

    /// <summary>Why it is kept: a root, then what leads from it to the node, which is last. Empty if nothing keeps it.</summary>
    public ImmutableArray<GarbageNode> Explain(GarbageNode node)
    {
        Dictionary<GarbageNode, GarbageNode?> reached = _reached.ContainsKey(node) ? _reached : _reachedFlat;
        var path = new Stack<GarbageNode>();
        GarbageNode? at = node;
        while (at is { } step && reached.TryGetValue(step, out GarbageNode? from))
        {
            path.Push(step);
            at = from;
        }

        return [.. path];
    }

    private IEnumerable<(GarbageNode Node, GarbageNode? From)> Roots()
    {
        foreach (LeaseRecord lease in Living(flat: false))
        {
            yield return (new GarbageNode(GarbageKind.Lease, lease.Id), null);
        }

        foreach (LeaseRecord lease in Living(flat: true))
        {
            yield return (new GarbageNode(GarbageKind.Lease, lease.Id), null);
        }

        foreach (ImageRecord image in _state.Images.Values.Where(image => !IsExpired(image.Labels)))
        {
            yield return (new GarbageNode(GarbageKind.Image, image.Name), null);
        }

        foreach (string container in _containers.Keys)
        {
            yield return (new GarbageNode(GarbageKind.Container, container), null);
        }

        foreach (ContentRecord content in _state.Content.Values.Where(content => content.Labels.ContainsKey(GarbageLabels.Root)))
        {
            yield return (Node(content.Digest), null);
        }

        foreach (SnapshotRecord snapshot in _state.Snapshots.Values.Where(snapshot => snapshot.Labels.ContainsKey(GarbageLabels.Root)))
        {
            yield return (Node(snapshot.Snapshotter, snapshot.Key), null);
        }

        foreach (OpenIngest ingest in _ingests.Values.Where(ingest => _now - ingest.StartedAt < IngestLife))
        {
            yield return (new GarbageNode(GarbageKind.Ingest, ingest.Reference), null);
        }
    }

    private IEnumerable<(GarbageNode Node, GarbageNode? From)> FlatRoots()
    {
        foreach (LeaseRecord lease in Living(flat: true))
        {
            var node = new GarbageNode(GarbageKind.Lease, lease.Id);
            yield return (node, null);
            foreach (LeaseResource resource in lease.Resources)
            {
                yield return (Node(resource), node);
            }
        }
    }

    // Everything a thing keeps: what it is made of, what its labels name, and what named it as its keeper.
    private IEnumerable<GarbageNode> Edges(GarbageNode node)
    {
        IEnumerable<GarbageNode> edges = node.Kind switch
        {
            GarbageKind.Lease => _state.Leases.TryGetValue(node.Id, out LeaseRecord? lease) && !IsFlat(lease)
                ? lease.Resources.Select(Node)
                : [],
            GarbageKind.Image => _state.Images.TryGetValue(node.Id, out ImageRecord? image)
                ? Referred(image.Labels).Prepend(Node(image.Target.Digest))
                : [],
            GarbageKind.Container => _containers.TryGetValue(node.Id, out ContainerRoot? container) ? Edges(container) : [],
            GarbageKind.Content => Digest.TryParse(node.Id, out Digest digest) && _state.Content.TryGetValue(digest, out ContentRecord? content)
                ? Referred(content.Labels)
                : [],
            GarbageKind.Snapshot => Find(node) is { } snapshot ? Referred(snapshot.Labels).Concat(Parent(snapshot)) : [],
            GarbageKind.Ingest => Expected(node),
            _ => [],
        };
        return _backReferences.TryGetValue(node, out List<GarbageNode>? back) && Exists(node) ? edges.Concat(back) : edges;
    }

    private IEnumerable<GarbageNode> FlatEdges(GarbageNode node) => node.Kind switch
    {
        GarbageKind.Image when _state.Images.TryGetValue(node.Id, out ImageRecord? image) => [Node(image.Target.Digest)],
        GarbageKind.Snapshot when Find(node) is { } snapshot => Parent(snapshot),
        GarbageKind.Ingest => Expected(node),
        _ => [],
    };

    private static IEnumerable<GarbageNode> Edges(ContainerRoot container)
    {
        IEnumerable<GarbageNode> edges = Referred(container.Labels);
        return container.Snapshotter.Length == 0 ? edges : edges.Prepend(Node(container.Snapshotter, container.SnapshotKey));
    }

    private static IEnumerable<GarbageNode> Referred(ImmutableSortedDictionary<string, string> labels) =>
        labels.Select(label => GarbageLabels.Referred(label.Key, label.Value)).OfType<GarbageNode>();

    private static IEnumerable<GarbageNode> Parent(SnapshotRecord snapshot) =>
        snapshot.Parent.Length == 0 ? [] : [Node(snapshot.Snapshotter, snapshot.Parent)];

    private IEnumerable<GarbageNode> Expected(GarbageNode node) =>
        _ingests.TryGetValue(node.Id, out OpenIngest? ingest) && ingest.Expected is { } digest ? [Node(digest)] : [];

    private static void Walk(
        IEnumerable<(GarbageNode Node, GarbageNode? From)> roots,
        Dictionary<GarbageNode, GarbageNode?> reached,
        Func<GarbageNode, IEnumerable<GarbageNode>> edges)
    {
        var open = new Queue<GarbageNode>();
        foreach ((GarbageNode node, GarbageNode? from) in roots)
        {
            Reach(node, from);
        }

        while (open.TryDequeue(out GarbageNode node))
        {
            foreach (GarbageNode next in edges(node))
            {
                Reach(next, node);
            }
        }

        void Reach(GarbageNode node, GarbageNode? from)
        {
            if (reached.TryAdd(node, from))
            {
                open.Enqueue(node);
            }
        }
    }

    private void ReadBackReferences()
    {
        foreach (ImageRecord image in _state.Images.Values)
        {
            Read(new GarbageNode(GarbageKind.Image, image.Name), image.Labels, conditions: true);
        }

        foreach (ContentRecord content in _state.Content.Values)
        {
            Read(Node(content.Digest), content.Labels, conditions: true);
        }

        foreach (SnapshotRecord snapshot in _state.Snapshots.Values)
        {
            Read(Node(snapshot.Snapshotter, snapshot.Key), snapshot.Labels, conditions: false);
        }

        void Read(GarbageNode node, ImmutableSortedDictionary<string, string> labels, bool conditions)
        {
            foreach ((string label, string value) in labels)
            {
                if (GarbageLabels.ReferredBack(label, value) is { } keeper)
                {
                    Add(keeper, node);
                }

                foreach ((GarbageNode snapshot, bool younger, TimeSpan age) in conditions ? GarbageLabels.Conditions(label, value) : [])
                {
                    if (Holds(snapshot, younger, age))
                    {
                        Add(snapshot, node);
                    }
                }
            }
        }

        void Add(GarbageNode keeper, GarbageNode kept)
        {
            if (!_backReferences.TryGetValue(keeper, out List<GarbageNode>? all))
            {
                _backReferences[keeper] = all = [];
            }

            all.Add(kept);
        }
    }

    private bool Holds(GarbageNode node, bool younger, TimeSpan age) =>
        Find(node) is { } snapshot
        && snapshot.Labels.TryGetValue(GarbageLabels.UsedAt, out string? text)
        && GarbageLabels.TryMoment(text, out DateTimeOffset usedAt)
        && (younger ? _now - usedAt < age : _now - usedAt > age);

    private IEnumerable<LeaseRecord> Living(bool flat) =>
        _state.Leases.Values.Where(lease => !IsExpired(lease.Labels) && IsFlat(lease) == flat);

    private bool IsExpired(ImmutableSortedDictionary<string, string> labels) =>
        labels.TryGetValue(GarbageLabels.Expire, out string? text) && GarbageLabels.IsPast(text, _now);

    private static bool IsFlat(LeaseRecord lease) => lease.Labels.ContainsKey(GarbageLabels.Flat);

    private SnapshotRecord? Find(GarbageNode node) => _state.Snapshots.GetValueOrDefault(new SnapshotName(node.Snapshotter, node.Id));

    private bool Exists(GarbageNode node) => node.Kind switch
    {
        GarbageKind.Lease => _state.Leases.ContainsKey(node.Id),
        GarbageKind.Image => _state.Images.ContainsKey(node.Id),
        GarbageKind.Container => _containers.ContainsKey(node.Id),
        GarbageKind.Content => Digest.TryParse(node.Id, out Digest digest) && _state.Content.ContainsKey(digest),
        GarbageKind.Snapshot => Find(node) is not null,
        GarbageKind.Ingest => _ingests.ContainsKey(node.Id),
        _ => false,
    };

    private static GarbageNode Node(Digest digest) => new(GarbageKind.Content, digest.ToString());

    private static GarbageNode Node(string snapshotter, string key) => new(GarbageKind.Snapshot, key, snapshotter);

    private static GarbageNode Node(LeaseResource resource) => resource.Type switch
    {
        LeaseResources.ContentType => new GarbageNode(GarbageKind.Content, resource.Id),
        LeaseResources.ImageType => new GarbageNode(GarbageKind.Image, resource.Id),
        LeaseResources.IngestType => new GarbageNode(GarbageKind.Ingest, resource.Id),
        _ => Node(resource.Snapshotter() ?? "", resource.Id),
    };
}
