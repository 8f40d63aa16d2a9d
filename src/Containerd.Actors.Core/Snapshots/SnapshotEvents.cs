// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Events;

namespace Containerd.Actors.Core.Snapshots;

/// <summary>What a snapshot is for.</summary>
public enum SnapshotKind
{
    /// <summary>Not known; never stored.</summary>
    Unknown = 0,

    /// <summary>Read-only and without a future.</summary>
    View = 1,

    /// <summary>Writable; may be committed.</summary>
    Active = 2,

    /// <summary>Finished; may be a parent.</summary>
    Committed = 3,
}

/// <summary>Space of one snapshot without its parents.</summary>
/// <param name="Size">Bytes.</param>
/// <param name="Inodes">Number of inodes.</param>
public sealed record SnapshotUsage(long Size, long Inodes);

/// <summary>A snapshot as its namespace sees it.</summary>
/// <param name="Snapshotter">Which snapshotter holds it.</param>
/// <param name="Key">Key, or name once committed; unique per namespace and snapshotter.</param>
/// <param name="Parent">Name of the parent; empty for none.</param>
/// <param name="Kind">What it is for.</param>
/// <param name="Labels">Labels.</param>
/// <param name="Backend">Number of its directory; unique per snapshotter over all namespaces.</param>
/// <param name="Usage">Frozen when committed; null before.</param>
/// <param name="CreatedAt">When it was made or committed.</param>
/// <param name="UpdatedAt">When its labels last changed.</param>
public sealed record SnapshotRecord(
    string Snapshotter,
    string Key,
    string Parent,
    SnapshotKind Kind,
    ImmutableSortedDictionary<string, string> Labels,
    long Backend,
    SnapshotUsage? Usage,
    DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt)
{
    /// <summary>Its key in the plugin that holds it; empty where the number is all there is.</summary>
    public string BackendKey { get; init; } = "";
}

/// <summary>What can happen to snapshots.</summary>
public static class SnapshotEvents
{
    /// <summary>An active snapshot or a view exists; its directory did before this event was stored.</summary>
    public sealed record Prepared(SnapshotRecord Snapshot) : DomainEvent;

    /// <summary>The active snapshot <paramref name="Key"/> is now this committed one.</summary>
    public sealed record Committed(string Key, SnapshotRecord Snapshot) : DomainEvent;

    /// <summary>Its labels are these now.</summary>
    public sealed record Updated(SnapshotRecord Snapshot) : DomainEvent;

    /// <summary>It is gone from the namespace; its directory is freed by garbage collection.</summary>
    public sealed record Removed(string Snapshotter, string Key) : DomainEvent;
}
