// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Oci.Images;

namespace Containerd.Actors.Core.GarbageCollection;

/// <summary>What a thing is to garbage collection.</summary>
public enum GarbageKind
{
    /// <summary>A lease; its id.</summary>
    Lease,

    /// <summary>An image; its name.</summary>
    Image,

    /// <summary>A container; its id.</summary>
    Container,

    /// <summary>Content; its digest.</summary>
    Content,

    /// <summary>A snapshot; its snapshotter and key.</summary>
    Snapshot,

    /// <summary>An open ingest; its reference.</summary>
    Ingest,

    /// <summary>Mounts that the daemon holds; their name.</summary>
    Mount,
}

/// <summary>A thing that may be kept or collected, within one namespace.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Id">Its name.</param>
/// <param name="Snapshotter">Its snapshotter; empty for everything but snapshots.</param>
public readonly record struct GarbageNode(GarbageKind Kind, string Id, string Snapshotter = "")
{
    /// <inheritdoc />
    public override string ToString() =>
        Snapshotter.Length == 0 ? $"{Kind.ToString().ToLowerInvariant()} {Id}" : $"snapshot {Snapshotter} {Id}";
}

/// <summary>What a container keeps.</summary>
/// <param name="ContainerId">Its id.</param>
/// <param name="Snapshotter">Snapshotter of its root file system; empty for none.</param>
/// <param name="SnapshotKey">Key of its root file system.</param>
/// <param name="Labels">Its labels, which may refer to more.</param>
public sealed record ContainerRoot(
    string ContainerId, string Snapshotter, string SnapshotKey, ImmutableSortedDictionary<string, string> Labels)
{
    // No container can have such an id.
    private const string SandboxPrefix = "sandbox/";
    private const string RunPrefix = "run/";

    /// <summary>True for what a container keeps by its record.</summary>
    public bool IsContainer => !ContainerId.Contains('/', StringComparison.Ordinal);

    /// <summary>Under which id a sandbox keeps what it keeps.</summary>
    public static string IdOfSandbox(string id) => SandboxPrefix + id;

    /// <summary>What a sandbox keeps.</summary>
    public static ContainerRoot OfSandbox(string id, ImmutableSortedDictionary<string, string> labels) => new(IdOfSandbox(id), "", "", labels);

    /// <summary>Under which id a run keeps what it keeps.</summary>
    public static string IdOfRun(string id) => RunPrefix + id;

    /// <summary>What a run keeps until its container has a record: the snapshot that it prepares.</summary>
    public static ContainerRoot OfRun(string id, string snapshotter) => new(IdOfRun(id), snapshotter, id, Protocol.Values.Labels.None);
}

/// <summary>An ingest that was neither committed nor given up.</summary>
/// <param name="Namespace">Its namespace.</param>
/// <param name="Reference">Its reference, as the client named it.</param>
/// <param name="ExpiresAt">From then on only a lease keeps it; long past for one that was opened under a lease.</param>
/// <param name="Expected">Digest it is to have, which keeps content of that digest; null if not known.</param>
public sealed record OpenIngest(string Namespace, string Reference, DateTimeOffset ExpiresAt, Digest? Expected);

/// <summary>One step on the way from a root to what it keeps.</summary>
/// <param name="Node">What the step leads to.</param>
/// <param name="Reason">What makes it a root, or by what the thing before it keeps it.</param>
public readonly record struct GarbageStep(GarbageNode Node, string Reason);

/// <summary>Why a thing is kept or not.</summary>
/// <param name="Thing">What was asked about.</param>
/// <param name="Kept">The way from a root to it, which is last; empty if nothing keeps it.</param>
/// <param name="InVain">What names it without keeping it, as nothing keeps those either, with how; empty if it is kept.</param>
/// <param name="Verdict">One sentence for people.</param>
public sealed record GarbageExplanation(
    GarbageNode Thing, ImmutableArray<GarbageStep> Kept, ImmutableArray<GarbageStep> InVain, string Verdict);

/// <summary>What is removed, or would be.</summary>
/// <param name="Node">Which thing.</param>
/// <param name="Bytes">Its size, as far as it is known.</param>
/// <param name="Reason">Why nothing keeps it; empty if nobody asked.</param>
public sealed record Condemned(GarbageNode Node, long Bytes, string Reason);

/// <summary>What became of a namespace in a garbage collection.</summary>
/// <param name="Removed">What is no longer there.</param>
/// <param name="Content">Content still visible or expected by an ingest: its bytes must stay.</param>
/// <param name="Backends">Directories of the snapshots still there, by snapshotter: they must stay.</param>
/// <param name="Ingests">References of ingests to give up.</param>
public sealed record Collected(
    ImmutableArray<Condemned> Removed,
    ImmutableHashSet<Digest> Content,
    ImmutableDictionary<string, ImmutableHashSet<long>> Backends,
    ImmutableArray<string> Ingests)
{
    /// <summary>Numbers of the activations still there: what is mounted for them must stay.</summary>
    public ImmutableHashSet<long> Activations { get; init; } = [];
}
