// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Containers;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.Images;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Core.Tasks;
using Containerd.Actors.Protocol.Containers;

namespace Containerd.Actors.Core.Audit;

/// <summary>A container and its task as they stood.</summary>
/// <param name="Namespace">Its namespace.</param>
/// <param name="Id">Its id.</param>
/// <param name="Record">Its record; null while only its task is known.</param>
/// <param name="TaskStatus">containerd's word: created, running, paused or stopped; empty for no task.</param>
/// <param name="Pid">Id of the first process; 0 without a task.</param>
/// <param name="ExitStatus">Status of the first process once stopped.</param>
/// <param name="ExitedAt">When it ended; null before.</param>
public sealed record ReplayedContainer(
    string Namespace, string Id, ContainerRecord? Record, string TaskStatus, uint Pid, uint ExitStatus, DateTimeOffset? ExitedAt);

/// <summary>State rebuilt from events alone: a fold over records in the order of their cursors.</summary>
/// <remarks>Reads no clock and touches nothing; the same records give the same state. Not safe for threads.</remarks>
public sealed class Replay
{
    private readonly SortedDictionary<(string Namespace, string Id), ReplayedContainer> _containers = new(OrdinalPairs.Instance);
    private readonly SortedDictionary<(string Namespace, string Name), ImageRecord> _images = new(OrdinalPairs.Instance);
    private readonly SortedDictionary<(string Namespace, string Key), SnapshotRecord> _snapshots = new(OrdinalPairs.Instance);

    /// <summary>Cursor of the last record applied; 0 for none.</summary>
    public ulong Cursor { get; private set; }

    /// <summary>Containers, by namespace and id.</summary>
    public IReadOnlyCollection<ReplayedContainer> Containers => _containers.Values;

    /// <summary>Images with their namespaces, by namespace and name.</summary>
    public ImmutableArray<(string Namespace, ImageRecord Image)> Images => [.. _images.Select(pair => (pair.Key.Namespace, pair.Value))];

    /// <summary>Snapshots with their namespaces, by namespace, snapshotter and key.</summary>
    public ImmutableArray<(string Namespace, SnapshotRecord Snapshot)> Snapshots =>
        [.. _snapshots.Select(pair => (pair.Key.Namespace, pair.Value))];

    /// <summary>The state after the record with this cursor, or after everything that had happened by this time.</summary>
    /// <param name="journal">Where the records are.</param>
    /// <param name="cursor">Records with a greater cursor are left out; null for no such bound.</param>
    /// <param name="time">Later records are left out; null for no such bound.</param>
    /// <param name="cancellation">Ends the reading.</param>
    public static async Task<Replay> At(IJournalReader journal, ulong? cursor, DateTimeOffset? time, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(journal);
        Replay replay = new();
        await foreach (JournalRecord record in journal.Read(0, 0, JournalFilter.All, cancellation).ConfigureAwait(false))
        {
            if (record.Cursor > (cursor ?? ulong.MaxValue))
            {
                break;
            }

            if (record.Recorded.At <= (time ?? DateTimeOffset.MaxValue))
            {
                replay.Apply(record);
            }
        }

        return replay;
    }

    /// <summary>Applies one record. Records come in the order of their cursors.</summary>
    public void Apply(JournalRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        Cursor = record.Cursor;
        string ns = record.Recorded.Namespace;
        switch (record.Recorded.Event)
        {
            case ContainerEvents.Created e: Container(ns, e.Container.Id, old => old with { Record = e.Container }); break;
            case ContainerEvents.Updated e: Container(ns, e.Container.Id, old => old with { Record = e.Container }); break;
            case ContainerEvents.Deleted: _containers.Remove((ns, Id(record, EntityIds.ContainerPrefix))); break;
            case ImageEvents.Created e: _images[(ns, e.Image.Name)] = e.Image; break;
            case ImageEvents.Updated e: _images[(ns, e.Image.Name)] = e.Image; break;
            case ImageEvents.Deleted e: _images.Remove((ns, e.Name)); break;
            case SnapshotEvents.Prepared e: _snapshots[Key(ns, e.Snapshot.Snapshotter, e.Snapshot.Key)] = e.Snapshot; break;
            case SnapshotEvents.Updated e: _snapshots[Key(ns, e.Snapshot.Snapshotter, e.Snapshot.Key)] = e.Snapshot; break;
            case SnapshotEvents.Committed e:
                _snapshots.Remove(Key(ns, e.Snapshot.Snapshotter, e.Key));
                _snapshots[Key(ns, e.Snapshot.Snapshotter, e.Snapshot.Key)] = e.Snapshot;
                break;
            case SnapshotEvents.Removed e: _snapshots.Remove(Key(ns, e.Snapshotter, e.Key)); break;
            default: ApplyToTask(record, ns); break;
        }
    }

    /// <summary>containerd's word for a kind of snapshot.</summary>
    public static string Word(SnapshotKind kind) => kind switch
    {
        SnapshotKind.View => "view",
        SnapshotKind.Active => "active",
        SnapshotKind.Committed => "committed",
        _ => "unknown",
    };

    private void ApplyToTask(JournalRecord record, string ns)
    {
        Func<ReplayedContainer, ReplayedContainer>? change = record.Recorded.Event switch
        {
            TaskEvents.Created e => old => old with { TaskStatus = "created", Pid = e.Pid, ExitStatus = 0, ExitedAt = null },
            TaskEvents.Started { ExecId: "" } e => old => old with { TaskStatus = "running", Pid = e.Pid },
            TaskEvents.Paused => old => old with { TaskStatus = "paused" },
            TaskEvents.Resumed => old => old with { TaskStatus = "running" },
            TaskEvents.Exited { ExecId: "" } e => old => old with
            {
                TaskStatus = "stopped",
                Pid = e.Pid,
                ExitStatus = e.Status,
                ExitedAt = e.ExitedAt,
            },
            TaskEvents.CreateFailed or TaskEvents.Deleted => old => old with { TaskStatus = "", Pid = 0, ExitStatus = 0, ExitedAt = null },
            _ => null,
        };
        if (change is not null)
        {
            Container(ns, Id(record, EntityIds.TaskPrefix), change);
        }
    }

    private void Container(string ns, string id, Func<ReplayedContainer, ReplayedContainer> change)
    {
        ReplayedContainer changed = change(
            _containers.GetValueOrDefault((ns, id)) ?? new ReplayedContainer(ns, id, null, "", 0, 0, null));
        if (changed is { Record: null, TaskStatus: "" })
        {
            _containers.Remove((ns, id));
        }
        else
        {
            _containers[(ns, id)] = changed;
        }
    }

    private static (string Namespace, string Key) Key(string ns, string snapshotter, string key) => (ns, $"{snapshotter}\0{key}");

    /// <summary>The id at the end of a persistence id, for example of <c>task/default/redis</c>.</summary>
    private static string Id(JournalRecord record, string prefix)
    {
        int behind = prefix.Length + record.Recorded.Namespace.Length + 1;
        return record.Entity.Length > behind ? record.Entity[behind..] : record.Entity;
    }

    private sealed class OrdinalPairs : IComparer<(string First, string Second)>
    {
        public static OrdinalPairs Instance { get; } = new();

        public int Compare((string First, string Second) x, (string First, string Second) y) =>
            string.CompareOrdinal(x.First, y.First) is var first and not 0 ? first : string.CompareOrdinal(x.Second, y.Second);
    }
}
