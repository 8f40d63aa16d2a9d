// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Protocol.Values;

namespace Containerd.Actors.Persistence.Stored;

/// <summary>Stored forms of <see cref="SnapshotEvents"/>.</summary>
internal static class SnapshotForms
{
    public static IReadOnlyList<EventForm> All { get; } =
    [
        EventForm.Of("snapshot.prepared:1", V1.SnapshotPrepared.Parser,
            (SnapshotEvents.Prepared e) => new V1.SnapshotPrepared { Snapshot = Write(e.Snapshot) },
            m => new SnapshotEvents.Prepared(Read(m.Snapshot))),
        EventForm.Of("snapshot.committed:1", V1.SnapshotCommitted.Parser,
            (SnapshotEvents.Committed e) => new V1.SnapshotCommitted { Key = e.Key, Snapshot = Write(e.Snapshot) },
            m => new SnapshotEvents.Committed(m.Key, Read(m.Snapshot))),
        EventForm.Of("snapshot.updated:1", V1.SnapshotUpdated.Parser,
            (SnapshotEvents.Updated e) => new V1.SnapshotUpdated { Snapshot = Write(e.Snapshot) },
            m => new SnapshotEvents.Updated(Read(m.Snapshot))),
        EventForm.Of("snapshot.removed:1", V1.SnapshotRemoved.Parser,
            (SnapshotEvents.Removed e) => new V1.SnapshotRemoved { Snapshotter = e.Snapshotter, Key = e.Key },
            m => new SnapshotEvents.Removed(m.Snapshotter, m.Key)),
    ];

    private static V1.StoredSnapshot Write(SnapshotRecord snapshot)
    {
        V1.StoredSnapshot stored = new()
        {
            Snapshotter = snapshot.Snapshotter,
            Key = snapshot.Key,
            Parent = snapshot.Parent,
            Kind = Write(snapshot.Kind),
            Backend = snapshot.Backend,
            Usage = snapshot.Usage is { } usage ? new V1.StoredSnapshotUsage { Size = usage.Size, Inodes = usage.Inodes } : null,
            CreatedAt = Values.Time(snapshot.CreatedAt),
            UpdatedAt = Values.Time(snapshot.UpdatedAt),
            BackendKey = snapshot.BackendKey,
        };
        return stored.WithLabels(stored.Labels, snapshot.Labels);
    }

    private static SnapshotRecord Read(V1.StoredSnapshot? stored) => stored is null
        ? throw new FormatException("the snapshot is missing")
        : new SnapshotRecord(
            stored.Snapshotter,
            stored.Key,
            stored.Parent,
            Read(stored.Kind),
            Labels.From(stored.Labels),
            stored.Backend,
            stored.Usage is { } usage ? new SnapshotUsage(usage.Size, usage.Inodes) : null,
            Values.Time(stored.CreatedAt),
            Values.Time(stored.UpdatedAt))
        {
            BackendKey = stored.BackendKey,
        };

    private static V1.StoredSnapshotKind Write(SnapshotKind kind) => kind switch
    {
        SnapshotKind.View => V1.StoredSnapshotKind.View,
        SnapshotKind.Active => V1.StoredSnapshotKind.Active,
        SnapshotKind.Committed => V1.StoredSnapshotKind.Committed,
        _ => V1.StoredSnapshotKind.Unknown,
    };

    private static SnapshotKind Read(V1.StoredSnapshotKind kind) => kind switch
    {
        V1.StoredSnapshotKind.View => SnapshotKind.View,
        V1.StoredSnapshotKind.Active => SnapshotKind.Active,
        V1.StoredSnapshotKind.Committed => SnapshotKind.Committed,
        V1.StoredSnapshotKind.Unknown => SnapshotKind.Unknown,
        _ => throw new FormatException($"unknown kind of snapshot {(int)kind}"),
    };
}
