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
    string ContainerId, string Snapshotter, string SnapshotKey, ImmutableSortedDictionary<string, string> Labels);

/// <summary>An ingest that was neither committed nor given up.</summary>
/// <param name="Namespace">Its namespace.</param>
/// <param name="Reference">Its reference, as the client named it.</param>
/// <param name="StartedAt">When it was started; a day later it is garbage unless a lease keeps it.</param>
/// <param name="Expected">Digest it is to have; null if not known.</param>
public sealed record OpenIngest(string Namespace, string Reference, DateTimeOffset StartedAt, Digest? Expected);

/// <summary>What became of a namespace in a garbage collection.</summary>
/// <param name="Removed">What is no longer there.</param>
/// <param name="Content">Content still visible: its bytes must stay.</param>
/// <param name="Backends">Directories of the snapshots still there, by snapshotter: they must stay.</param>
/// <param name="Ingests">References of ingests to give up.</param>
public sealed record Collected(
    ImmutableArray<GarbageNode> Removed,
    ImmutableHashSet<Digest> Content,
    ImmutableDictionary<string, ImmutableHashSet<long>> Backends,
    ImmutableArray<string> Ingests);
