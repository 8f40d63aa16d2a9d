// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;

namespace Containerd.Actors.Core.GarbageCollection;

/// <summary>What can be reached from the roots of one namespace at one moment, and why.</summary>
public sealed class Mark
{
    /// <summary>Age at which an ingest that no lease keeps is garbage.</summary>
    public static readonly TimeSpan IngestLife = TimeSpan.FromHours(24);

    // Shorter ones are more likely a slip than the start of a digest.
    private const int PrefixMin = 6;

    private readonly GarbageGraph _graph;

    // What was reached, with what it was reached from; roots are reached from nothing. The second one does not follow labels.
    private readonly Dictionary<GarbageNode, (GarbageNode? From, string Reason)> _reached = [];
    private readonly Dictionary<GarbageNode, (GarbageNode? From, string Reason)> _reachedFlat = [];
    private ILookup<GarbageNode, GarbageStep>? _inVain;

    private Mark(GarbageGraph graph)
    {
        _graph = graph;
        Walk(graph.Roots(), _reached, graph.Edges);
        Walk(graph.FlatRoots(), _reachedFlat, graph.FlatEdges);
    }

    /// <summary>Marks a namespace.</summary>
    /// <param name="state">The namespace.</param>
    /// <param name="containers">Its containers.</param>
    /// <param name="ingests">Ingests that are open.</param>
    /// <param name="now">Leases and images expire against it.</param>
    /// <param name="spareFrom">Content and snapshots made at this moment or later are kept for their own sake; null spares none.</param>
    public static Mark Of(
        NamespaceState state, IEnumerable<ContainerRoot> containers, IEnumerable<OpenIngest> ingests, DateTimeOffset now,
        DateTimeOffset? spareFrom = null) => new(new GarbageGraph(state, containers, ingests, now, spareFrom));

    /// <summary>True when something keeps it.</summary>
    public bool Keeps(GarbageNode node) => _reached.ContainsKey(node) || _reachedFlat.ContainsKey(node);

    /// <summary>The way from a root to it, or what names it in vain.</summary>
    public GarbageExplanation Explain(GarbageNode node)
    {
        Dictionary<GarbageNode, (GarbageNode? From, string Reason)> reached = _reached.ContainsKey(node) ? _reached : _reachedFlat;
        var path = new Stack<GarbageStep>();
        GarbageNode? at = node;
        while (at is { } step && reached.TryGetValue(step, out (GarbageNode? From, string Reason) found))
        {
            path.Push(new GarbageStep(step, found.Reason));
            at = found.From;
        }

        ImmutableArray<GarbageStep> kept = [.. path];
        ImmutableArray<GarbageStep> inVain = kept.IsEmpty ? [.. (_inVain ??= ReadInVain())[node]] : [];
        return new GarbageExplanation(node, kept, inVain, Verdict(node, kept, inVain));
    }

    /// <summary>Explains whatever goes by a name: a digest or at least six digits of its start, a snapshot's key, an image's name, an
    /// id of a lease or container, the name of a mount, the reference of an ingest.</summary>
    public Reply<ImmutableArray<GarbageExplanation>> Explain(string name)
    {
        GarbageNode[] found = [.. _graph.Nodes.Where(node => node.Id == name)];
        string digits = name.StartsWith("sha256:", StringComparison.Ordinal) ? name["sha256:".Length..] : name;
        if (found.Length == 0 && digits.Length >= PrefixMin)
        {
            found = [.. _graph.Nodes.Where(node => node.Id.StartsWith($"sha256:{digits}", StringComparison.Ordinal))];
        }

        return found.Length == 0
            ? Reply.Refused<ImmutableArray<GarbageExplanation>>(Error.NotFound(
                $"{name}: no content, snapshot, image, lease, container, mount or ingest goes by it here"))
            : Reply.Done<ImmutableArray<GarbageExplanation>>([.. found.Select(Explain)]);
    }

    private string Verdict(GarbageNode node, ImmutableArray<GarbageStep> kept, ImmutableArray<GarbageStep> inVain)
    {
        if (!kept.IsEmpty)
        {
            return kept.Length == 1 ? $"kept: {kept[0].Reason}" : $"kept by {kept[0].Node}";
        }

        string[] reasons = _graph.Lapse(node) is { } lapse ? [lapse] : [];
        reasons = inVain.IsEmpty
            ? [.. reasons, "nothing refers to it"]
            : [.. reasons, $"only {inVain[0].Node} refers to it, which {(Keeps(inVain[0].Node) ? "a flat lease keeps without what it refers to" : "nothing keeps")}"];
        return string.Join("; ", reasons);
    }

    // Every reference that starts at something nobody keeps, by what it names.
    private ILookup<GarbageNode, GarbageStep> ReadInVain() => _graph.Nodes
        .Where(node => !Keeps(node))
        .SelectMany(node => _graph.Edges(node).Select(edge => (To: edge.Node, From: new GarbageStep(node, edge.Reason))))
        .Concat(_graph.Nodes.Where(node => Keeps(node) && !_reached.ContainsKey(node))
            .SelectMany(node => _graph.Edges(node).Select(edge => (To: edge.Node, From: new GarbageStep(node, $"{edge.Reason}, which a flat lease does not follow")))))
        .ToLookup(pair => pair.To, pair => pair.From);

    private static void Walk(
        IEnumerable<GarbageStep> roots,
        Dictionary<GarbageNode, (GarbageNode? From, string Reason)> reached,
        Func<GarbageNode, IEnumerable<GarbageStep>> edges)
    {
        var open = new Queue<GarbageNode>();
        foreach (GarbageStep root in roots)
        {
            Reach(root, null);
        }

        while (open.TryDequeue(out GarbageNode node))
        {
            foreach (GarbageStep next in edges(node))
            {
                Reach(next, node);
            }
        }

        void Reach(GarbageStep step, GarbageNode? from)
        {
            if (reached.TryAdd(step.Node, (from, step.Reason)))
            {
                open.Enqueue(step.Node);
            }
        }
    }
}
