// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using System.Globalization;
using Containerd.Actors.Core.Content;
using Containerd.Actors.Core.Images;
using Containerd.Actors.Core.Leases;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Oci.Images;

namespace Containerd.Actors.Core.GarbageCollection;

/// <summary>
/// The things of one namespace at one moment and what they refer to. Only labels, leases, parents and targets are followed;
/// manifests are never read.
/// </summary>
internal sealed class GarbageGraph
{
    private readonly NamespaceState _state;
    private readonly Dictionary<string, ContainerRoot> _containers;
    private readonly Dictionary<string, OpenIngest> _ingests;
    private readonly DateTimeOffset _now;
    private readonly DateTimeOffset? _spareFrom;
    private readonly Dictionary<GarbageNode, List<GarbageStep>> _backReferences = [];

    public GarbageGraph(
        NamespaceState state, IEnumerable<ContainerRoot> containers, IEnumerable<OpenIngest> ingests, DateTimeOffset now, DateTimeOffset? spareFrom)
    {
        _state = state;
        _containers = containers.ToDictionary(container => container.ContainerId);
        _ingests = ingests.Where(ingest => ingest.Namespace == state.Name)
            .GroupBy(ingest => ingest.Reference).ToDictionary(group => group.Key, group => group.MaxBy(ingest => ingest.ExpiresAt)!);
        _now = now;
        _spareFrom = spareFrom;
        ReadBackReferences();
    }

    /// <summary>Everything there is.</summary>
    public IEnumerable<GarbageNode> Nodes =>
    [
        .. _state.Leases.Keys.Select(id => new GarbageNode(GarbageKind.Lease, id)),
        .. _state.Images.Keys.Select(Image),
        .. _containers.Keys.Select(id => new GarbageNode(GarbageKind.Container, id)),
        .. _state.Content.Keys.Select(Node),
        .. _state.Snapshots.Keys.Select(name => Node(name.Snapshotter, name.Key)),
        .. _ingests.Keys.Select(Ingest),
        .. _state.Activations.Keys.Select(Mount),
    ];

    /// <summary>What is kept for its own sake; labels of what it leads to are followed.</summary>
    public IEnumerable<GarbageStep> Roots()
    {
        foreach (LeaseRecord lease in _state.Leases.Values.Where(lease => !IsExpired(lease.Labels)))
        {
            yield return new GarbageStep(new GarbageNode(GarbageKind.Lease, lease.Id), Until("lease", lease.Labels));
        }

        foreach (ImageRecord image in _state.Images.Values.Where(image => !IsExpired(image.Labels)))
        {
            yield return new GarbageStep(Image(image.Name), Until("image", image.Labels));
        }

        foreach (string container in _containers.Keys)
        {
            yield return new GarbageStep(new GarbageNode(GarbageKind.Container, container), "container");
        }

        foreach (ContentRecord content in _state.Content.Values)
        {
            if (OwnSake(content.Labels, content.CreatedAt) is { } reason)
            {
                yield return new GarbageStep(Node(content.Digest), reason);
            }
        }

        foreach (SnapshotRecord snapshot in _state.Snapshots.Values)
        {
            if (OwnSake(snapshot.Labels, snapshot.CreatedAt) is { } reason)
            {
                yield return new GarbageStep(Node(snapshot.Snapshotter, snapshot.Key), reason);
            }
        }

        foreach (OpenIngest ingest in _ingests.Values.Where(ingest => _now < ingest.ExpiresAt))
        {
            yield return new GarbageStep(Ingest(ingest.Reference), $"ingest until {Moment(ingest.ExpiresAt)}");
        }
    }

    /// <summary>Leases that keep what they list and no more.</summary>
    public IEnumerable<GarbageStep> FlatRoots() => _state.Leases.Values
        .Where(lease => !IsExpired(lease.Labels) && IsFlat(lease))
        .Select(lease => new GarbageStep(new GarbageNode(GarbageKind.Lease, lease.Id), Until("flat lease", lease.Labels)));

    /// <summary>Everything a thing keeps: what it is made of, what its labels name, and what names it as its keeper.</summary>
    public IEnumerable<GarbageStep> Edges(GarbageNode node)
    {
        IEnumerable<GarbageStep> edges = node.Kind switch
        {
            GarbageKind.Lease => _state.Leases.TryGetValue(node.Id, out LeaseRecord? lease) && !IsFlat(lease) ? Kept(lease) : [],
            GarbageKind.Image => _state.Images.TryGetValue(node.Id, out ImageRecord? image) ? Target(image).Concat(Referred(image.Labels)) : [],
            GarbageKind.Container => _containers.TryGetValue(node.Id, out ContainerRoot? container) ? Edges(container) : [],
            GarbageKind.Content => Digest.TryParse(node.Id, out Digest digest) && _state.Content.TryGetValue(digest, out ContentRecord? content)
                ? Referred(content.Labels)
                : [],
            GarbageKind.Snapshot => Find(node) is { } snapshot ? Parent(snapshot).Concat(Referred(snapshot.Labels)) : [],
            GarbageKind.Ingest => Expected(node),
            _ => [],
        };
        return _backReferences.TryGetValue(node, out List<GarbageStep>? back) && Exists(node) ? edges.Concat(back) : edges;
    }

    /// <summary>What a thing keeps for a flat lease.</summary>
    public IEnumerable<GarbageStep> FlatEdges(GarbageNode node) => node.Kind switch
    {
        GarbageKind.Lease when _state.Leases.TryGetValue(node.Id, out LeaseRecord? lease) => Kept(lease),
        GarbageKind.Image when _state.Images.TryGetValue(node.Id, out ImageRecord? image) => Target(image),
        GarbageKind.Snapshot when Find(node) is { } snapshot => Parent(snapshot),
        GarbageKind.Ingest => Expected(node),
        _ => [],
    };

    /// <summary>Why this one is no root although others of its kind are; null if none is.</summary>
    public string? Lapse(GarbageNode node) => node.Kind switch
    {
        GarbageKind.Lease => $"expired at {_state.Leases.GetValueOrDefault(node.Id)?.Labels.GetValueOrDefault(GarbageLabels.Expire)}",
        GarbageKind.Image => $"expired at {_state.Images.GetValueOrDefault(node.Id)?.Labels.GetValueOrDefault(GarbageLabels.Expire)}",
        GarbageKind.Ingest => "older than a day, or the lease that kept it is gone",
        _ => null,
    };

    /// <summary>True when there is such a thing.</summary>
    public bool Exists(GarbageNode node) => node.Kind switch
    {
        GarbageKind.Lease => _state.Leases.ContainsKey(node.Id),
        GarbageKind.Image => _state.Images.ContainsKey(node.Id),
        GarbageKind.Container => _containers.ContainsKey(node.Id),
        GarbageKind.Content => Digest.TryParse(node.Id, out Digest digest) && _state.Content.ContainsKey(digest),
        GarbageKind.Snapshot => Find(node) is not null,
        GarbageKind.Ingest => _ingests.ContainsKey(node.Id),
        GarbageKind.Mount => _state.Activations.ContainsKey(node.Id),
        _ => false,
    };

    private static IEnumerable<GarbageStep> Edges(ContainerRoot container)
    {
        IEnumerable<GarbageStep> edges = Referred(container.Labels);
        return container.Snapshotter.Length == 0
            ? edges
            : edges.Prepend(new GarbageStep(Node(container.Snapshotter, container.SnapshotKey), "root file system of the container"));
    }

    private static IEnumerable<GarbageStep> Resources(LeaseRecord lease) =>
        lease.Resources.Select(resource => new GarbageStep(Node(resource), "resource of the lease"));

    // Mounts are kept by the lease under which they were made, and are not among its resources.
    private IEnumerable<GarbageStep> Kept(LeaseRecord lease) => Resources(lease).Concat(_state.Activations.Values
        .Where(activation => activation.Lease == lease.Id)
        .Select(activation => new GarbageStep(Mount(activation.Name), "made under the lease")));

    private static IEnumerable<GarbageStep> Target(ImageRecord image) => [new GarbageStep(Node(image.Target.Digest), "target of the image")];

    private static IEnumerable<GarbageStep> Parent(SnapshotRecord snapshot) =>
        snapshot.Parent.Length == 0 ? [] : [new GarbageStep(Node(snapshot.Snapshotter, snapshot.Parent), "parent of the snapshot")];

    private IEnumerable<GarbageStep> Expected(GarbageNode node) => _ingests.TryGetValue(node.Id, out OpenIngest? ingest) && ingest.Expected is { } digest
        ? [new GarbageStep(Node(digest), "expected by the ingest")]
        : [];

    private static IEnumerable<GarbageStep> Referred(ImmutableSortedDictionary<string, string> labels)
    {
        foreach ((string label, string value) in labels)
        {
            if (GarbageLabels.Referred(label, value) is { } node)
            {
                yield return new GarbageStep(node, $"label {label}");
            }
        }
    }

    private void ReadBackReferences()
    {
        foreach (ImageRecord image in _state.Images.Values)
        {
            Read(Image(image.Name), image.Labels, conditions: true);
        }

        foreach (ContentRecord content in _state.Content.Values)
        {
            Read(Node(content.Digest), content.Labels, conditions: true);
        }

        foreach (SnapshotRecord snapshot in _state.Snapshots.Values)
        {
            Read(Node(snapshot.Snapshotter, snapshot.Key), snapshot.Labels, conditions: false);
        }

        foreach (Activation activation in _state.Activations.Values)
        {
            Read(Mount(activation.Name), activation.Labels, conditions: false);
        }

        void Read(GarbageNode node, ImmutableSortedDictionary<string, string> labels, bool conditions)
        {
            foreach ((string label, string value) in labels)
            {
                if (GarbageLabels.ReferredBack(label, value) is { } keeper)
                {
                    Add(keeper, node, label);
                }

                foreach ((GarbageNode snapshot, bool younger, TimeSpan age) in conditions ? GarbageLabels.Conditions(label, value) : [])
                {
                    if (Holds(snapshot, younger, age))
                    {
                        Add(snapshot, node, label);
                    }
                }
            }
        }

        void Add(GarbageNode keeper, GarbageNode kept, string label)
        {
            if (!_backReferences.TryGetValue(keeper, out List<GarbageStep>? all))
            {
                _backReferences[keeper] = all = [];
            }

            all.Add(new GarbageStep(kept, $"its own label {label}"));
        }
    }

    private bool Holds(GarbageNode node, bool younger, TimeSpan age) =>
        Find(node) is { } snapshot
        && snapshot.Labels.TryGetValue(GarbageLabels.UsedAt, out string? text)
        && GarbageLabels.TryMoment(text, out DateTimeOffset usedAt)
        && (younger ? _now - usedAt < age : _now - usedAt > age);

    private string? OwnSake(ImmutableSortedDictionary<string, string> labels, DateTimeOffset createdAt) =>
        labels.ContainsKey(GarbageLabels.Root) ? $"label {GarbageLabels.Root}"
        : createdAt >= _spareFrom ? $"made since {Moment(_spareFrom.Value)}"
        : null;

    private bool IsExpired(ImmutableSortedDictionary<string, string> labels) =>
        labels.TryGetValue(GarbageLabels.Expire, out string? text) && GarbageLabels.IsPast(text, _now);

    private static bool IsFlat(LeaseRecord lease) => lease.Labels.ContainsKey(GarbageLabels.Flat);

    private SnapshotRecord? Find(GarbageNode node) => _state.Snapshots.GetValueOrDefault(new SnapshotName(node.Snapshotter, node.Id));

    private static string Until(string what, ImmutableSortedDictionary<string, string> labels) =>
        labels.TryGetValue(GarbageLabels.Expire, out string? text) && GarbageLabels.TryMoment(text, out DateTimeOffset moment)
            ? $"{what} until {Moment(moment)}"
            : what;

    private static string Moment(DateTimeOffset moment) => moment.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static GarbageNode Image(string name) => new(GarbageKind.Image, name);

    private static GarbageNode Ingest(string reference) => new(GarbageKind.Ingest, reference);

    private static GarbageNode Mount(string name) => new(GarbageKind.Mount, name);

    private static GarbageNode Node(Digest digest) => new(GarbageKind.Content, digest.ToString());

    private static GarbageNode Node(string snapshotter, string key) => new(GarbageKind.Snapshot, key, snapshotter);

    private static GarbageNode Node(LeaseResource resource) => resource.Type switch
    {
        LeaseResources.ContentType => new GarbageNode(GarbageKind.Content, resource.Id),
        LeaseResources.ImageType => Image(resource.Id),
        LeaseResources.IngestType => Ingest(resource.Id),
        _ => Node(resource.Snapshotter() ?? "", resource.Id),
    };
}
