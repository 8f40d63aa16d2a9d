// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Content;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.GarbageCollection;
using Containerd.Actors.Core.Images;
using Containerd.Actors.Core.Leases;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Core.Snapshots;
using CsCheck;
using static Containerd.Actors.Core.Tests.Namespaces.Samples;

namespace Containerd.Actors.Core.Tests.GarbageCollection;

/// <summary>The mark on namespaces with every kind of label at random, against the rules as they are written down.</summary>
public sealed class MarkHistorySpecs
{
    private const string Past = "2020-01-01T00:00:00Z";
    private const string Future = "2030-01-01T00:00:00Z";

    // Few names, so that references meet.
    private static readonly Gen<int> Number = Gen.Int[0, 4];

    private static readonly Gen<(string Name, string Value)> AnyLabel = Gen.OneOf(
        Number.Select(n => ($"containerd.io/gc.ref.content.l.{n}", Digest(n).ToString())),
        Number.Select(n => ("containerd.io/gc.ref.content", Digest(n).ToString())),
        Number.Select(n => ("containerd.io/gc.ref.snapshot.overlayfs", $"s{n}")),
        Number.Select(n => ("containerd.io/gc.ref.snapshot.overlayfs/x", $"s{n}")),
        Number.Select(n => ("containerd.io/gc.ref.image", $"i{n}")),
        Number.Select(n => ("containerd.io/gc.bref.content", Digest(n).ToString())),
        Number.Select(n => ("containerd.io/gc.bref.image.x", $"i{n}")),
        Number.Select(n => ("containerd.io/gc.bref.container", $"c{n}")),
        Number.Select(n => ("containerd.io/gc.bref.snapshot.overlayfs", $"s{n}")),
        Gen.Int[0, 2].Select(n => (GarbageLabels.Expire, n == 0 ? Past : n == 1 ? Future : "nonsense")),
        Gen.Const((GarbageLabels.Flat, "1")),
        Gen.Int[0, 5].Select(n => (n == 0 ? GarbageLabels.Root : "other", "1")));

    private static readonly Gen<ImmutableSortedDictionary<string, string>> SomeLabels =
        AnyLabel.Array[0, 3].Select(labels => Labels([.. labels.DistinctBy(label => label.Name)]));

    private static readonly Gen<DomainEvent> Thing = Gen.OneOf<DomainEvent>(
        Gen.Select(Number, SomeLabels).Select(DomainEvent (n, labels) => new ImageEvents.Created(new ImageRecord($"i{n}", Target(n), labels, Now, Now))),
        Gen.Select(Number, SomeLabels).Select(DomainEvent (n, labels) => new ContentEvents.Added(new ContentRecord(Digest(n), 1, labels, Now, Now))),
        Gen.Select(Number, Gen.Int[-3, 4], SomeLabels).Select(DomainEvent (n, parent, labels) => new SnapshotEvents.Prepared(new SnapshotRecord(
            "overlayfs", $"s{n}", parent >= 0 && parent < n ? $"s{parent}" : "", SnapshotKind.Committed, labels, n, null, Now, Now))),
        Gen.Select(Number, SomeLabels).Select(DomainEvent (n, labels) => new LeaseEvents.Created($"l{n}", labels, Now)),
        Gen.Select(Number, Number, Gen.Int[0, 3]).Select(DomainEvent (n, of, kind) => new LeaseEvents.ResourceAdded($"l{n}", Resource(kind, of))));

    private static readonly Gen<(NamespaceState State, ImmutableArray<ContainerRoot> Containers, ImmutableArray<OpenIngest> Ingests)> Any = Gen.Select(
        Thing.Array[0, 25],
        Gen.Select(Number, Number, SomeLabels).Array[0, 2],
        Gen.Select(Number, Number, Gen.Bool).Array[0, 2],
        (things, containers, ingests) => (
            things.Aggregate(Empty.Apply(new NamespaceEvents.Created(Labels())), (state, e) => state.Apply(e)),
            containers.DistinctBy(container => container.Item1)
                .Select(container => new ContainerRoot($"c{container.Item1}", "overlayfs", $"s{container.Item2}", container.Item3)).ToImmutableArray(),
            ingests.DistinctBy(ingest => ingest.Item1)
                .Select(ingest => new OpenIngest(Ns, $"r{ingest.Item1}", ingest.Item3 ? Now.AddHours(1) : DateTimeOffset.MinValue, Digest(ingest.Item2)))
                .ToImmutableArray()));

    [Fact]
    public void What_is_kept_is_what_the_rules_say() => Any.Sample(any =>
    {
        Mark mark = Mark.Of(any.State, any.Containers, any.Ingests, Now);
        var rules = new Rules(any.State, any.Containers, any.Ingests);
        Assert.All(rules.Things, thing => Assert.Equal((thing, rules.Keeps(thing)), (thing, mark.Keeps(thing))));
    }, iter: 3_000);

    [Fact]
    public void A_collection_takes_what_is_not_kept_and_a_second_one_nothing() => Any.Sample(any =>
    {
        Mark mark = Mark.Of(any.State, any.Containers, any.Ingests, Now);
        var collect = new NamespaceCommands.Collect(Ns, any.Ingests, By);
        var decision = any.State.Decide(collect, any.Containers, Now);
        NamespaceState after = any.State.After(decision);
        foreach (GarbageNode thing in new Rules(any.State, [], []).Things)
        {
            Assert.Equal(mark.Keeps(thing), new Rules(after, [], []).Things.Contains(thing));
        }

        Assert.Empty(after.Decide(collect, any.Containers, Now).Events);
    }, iter: 1_000);

    [Fact]
    public void Every_way_begins_at_a_root_and_ends_at_the_thing_and_what_is_condemned_has_none() => Any.Sample(any =>
    {
        Mark mark = Mark.Of(any.State, any.Containers, any.Ingests, Now);
        var rules = new Rules(any.State, any.Containers, any.Ingests);
        foreach (GarbageNode thing in rules.Things)
        {
            GarbageExplanation explanation = mark.Explain(thing);
            Assert.Equal(mark.Keeps(thing), !explanation.Kept.IsEmpty);
            Assert.All(explanation.InVain, step => Assert.True(!mark.Keeps(step.Node) || !explanation.Verdict.StartsWith("kept", StringComparison.Ordinal)));
            if (!explanation.Kept.IsEmpty)
            {
                Assert.Equal(thing, explanation.Kept[^1].Node);
                Assert.True(rules.IsRoot(explanation.Kept[0].Node), explanation.Verdict);
                Assert.All(explanation.Kept.Zip(explanation.Kept.Skip(1)), pair => Assert.True(rules.Refers(pair.First.Node, pair.Second.Node)));
            }
        }
    }, iter: 1_000);

    private static LeaseResource Resource(int kind, int number) => kind switch
    {
        0 => LeaseResources.Content(Digest(number)),
        1 => LeaseResources.Image($"i{number}"),
        2 => LeaseResources.Ingest($"r{number}"),
        _ => LeaseResources.Snapshot("overlayfs", $"s{number}"),
    };

    /// <summary>The rules read one by one, without regard to speed: whatever a kept thing refers to is kept, until nothing is added.</summary>
    private sealed class Rules
    {
        private readonly NamespaceState _state;
        private readonly ImmutableArray<ContainerRoot> _containers;
        private readonly ImmutableArray<OpenIngest> _ingests;
        private readonly HashSet<GarbageNode> _kept;

        public Rules(NamespaceState state, ImmutableArray<ContainerRoot> containers, ImmutableArray<OpenIngest> ingests)
        {
            (_state, _containers, _ingests) = (state, containers, ingests);
            _kept = Closure(IsRoot, Followed);
            _kept.UnionWith(Closure(node => node.Kind == GarbageKind.Lease && IsRoot(node) && IsFlat(node.Id), Flat));
        }

        /// <summary>Everything there is but containers and ingests, which are not collected here.</summary>
        public IEnumerable<GarbageNode> Things =>
        [
            .. _state.Leases.Keys.Select(id => new GarbageNode(GarbageKind.Lease, id)),
            .. _state.Images.Keys.Select(name => new GarbageNode(GarbageKind.Image, name)),
            .. _state.Content.Keys.Select(digest => new GarbageNode(GarbageKind.Content, digest.ToString())),
            .. _state.Snapshots.Keys.Select(name => new GarbageNode(GarbageKind.Snapshot, name.Key, name.Snapshotter)),
        ];

        private IEnumerable<GarbageNode> All =>
        [
            .. Things,
            .. _containers.Select(container => new GarbageNode(GarbageKind.Container, container.ContainerId)),
            .. _ingests.Select(ingest => new GarbageNode(GarbageKind.Ingest, ingest.Reference)),
        ];

        public bool Keeps(GarbageNode thing) => _kept.Contains(thing);

        public bool Refers(GarbageNode from, GarbageNode to) => Followed(from).Concat(Flat(from)).Contains(to);

        public bool IsRoot(GarbageNode node) => node.Kind switch
        {
            GarbageKind.Lease or GarbageKind.Image => LabelsOf(node).GetValueOrDefault(GarbageLabels.Expire) != Past,
            GarbageKind.Container => true,
            GarbageKind.Ingest => _ingests.Single(ingest => ingest.Reference == node.Id).ExpiresAt > Now,
            _ => LabelsOf(node).ContainsKey(GarbageLabels.Root),
        };

        private HashSet<GarbageNode> Closure(Func<GarbageNode, bool> isRoot, Func<GarbageNode, IEnumerable<GarbageNode>> refers)
        {
            HashSet<GarbageNode> kept = [.. All.Where(isRoot)];
            for (int before = -1; before != kept.Count;)
            {
                before = kept.Count;
                kept.UnionWith([.. kept.SelectMany(refers)]);
            }

            return kept;
        }

        private bool IsFlat(string lease) => _state.Leases[lease].Labels.ContainsKey(GarbageLabels.Flat);

        private ImmutableSortedDictionary<string, string> LabelsOf(GarbageNode node) => node.Kind switch
        {
            GarbageKind.Lease => _state.Leases.GetValueOrDefault(node.Id)?.Labels,
            GarbageKind.Image => _state.Images.GetValueOrDefault(node.Id)?.Labels,
            GarbageKind.Content => _state.Content.Values.FirstOrDefault(content => content.Digest.ToString() == node.Id)?.Labels,
            GarbageKind.Snapshot => _state.Snapshots.GetValueOrDefault(new SnapshotName(node.Snapshotter, node.Id))?.Labels,
            GarbageKind.Container => _containers.FirstOrDefault(container => container.ContainerId == node.Id)?.Labels,
            _ => null,
        }
        ?? Labels();

        private IEnumerable<GarbageNode> Followed(GarbageNode node)
        {
            if (node.Kind == GarbageKind.Lease)
            {
                return _state.Leases.ContainsKey(node.Id) && !IsFlat(node.Id) ? Flat(node) : [];
            }

            IEnumerable<GarbageNode> named = LabelsOf(node).Where(label => label.Key.StartsWith("containerd.io/gc.ref.", StringComparison.Ordinal))
                .Select(label => Named(label.Key["containerd.io/gc.ref.".Length..], label.Value));
            IEnumerable<GarbageNode> naming = All.Contains(node)
                ? Things.Where(thing => thing.Kind != GarbageKind.Lease && LabelsOf(thing).Any(label =>
                    label.Key.StartsWith("containerd.io/gc.bref.", StringComparison.Ordinal)
                    && Named(label.Key["containerd.io/gc.bref.".Length..], label.Value) == node))
                : [];
            IEnumerable<GarbageNode> root = node.Kind == GarbageKind.Container
                ? _containers.Where(container => container.ContainerId == node.Id)
                    .Select(container => new GarbageNode(GarbageKind.Snapshot, container.SnapshotKey, container.Snapshotter))
                : [];
            return [.. named, .. naming, .. root, .. Flat(node)];
        }

        private IEnumerable<GarbageNode> Flat(GarbageNode node) => node.Kind switch
        {
            GarbageKind.Lease when _state.Leases.TryGetValue(node.Id, out LeaseRecord? lease) => lease.Resources.Select(resource => resource.Type switch
            {
                "content" => new GarbageNode(GarbageKind.Content, resource.Id),
                "images" => new GarbageNode(GarbageKind.Image, resource.Id),
                "ingests" => new GarbageNode(GarbageKind.Ingest, resource.Id),
                _ => new GarbageNode(GarbageKind.Snapshot, resource.Id, "overlayfs"),
            }),
            GarbageKind.Image when _state.Images.TryGetValue(node.Id, out ImageRecord? image) =>
                [new GarbageNode(GarbageKind.Content, image.Target.Digest.ToString())],
            GarbageKind.Snapshot when _state.Snapshots.TryGetValue(new SnapshotName(node.Snapshotter, node.Id), out SnapshotRecord? snapshot)
                && snapshot.Parent.Length > 0 => [new GarbageNode(GarbageKind.Snapshot, snapshot.Parent, node.Snapshotter)],
            GarbageKind.Ingest => _ingests.Where(ingest => ingest.Reference == node.Id)
                .Select(ingest => new GarbageNode(GarbageKind.Content, ingest.Expected.ToString()!)),
            _ => [],
        };

        private static GarbageNode Named(string kind, string value) =>
            kind.StartsWith("snapshot.", StringComparison.Ordinal) ? new GarbageNode(GarbageKind.Snapshot, value, "overlayfs")
            : kind.StartsWith("content", StringComparison.Ordinal) ? new GarbageNode(GarbageKind.Content, value)
            : kind.StartsWith("container", StringComparison.Ordinal) ? new GarbageNode(GarbageKind.Container, value)
            : new GarbageNode(GarbageKind.Image, value);
    }
}
