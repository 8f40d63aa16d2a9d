// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.Leases;
using Containerd.Actors.Core.Masks;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;

namespace Containerd.Actors.Core.Snapshots;

/// <summary>What follows from requests about snapshot records.</summary>
public static class SnapshotDecisions
{
    /// <summary>Label that names what an active snapshot will be committed as.</summary>
    public const string TargetLabel = "containerd.io/snapshot.ref";

    /// <summary>The snapshot, or its refusal: what Stat answers.</summary>
    public static Reply<SnapshotRecord> Snapshot(this NamespaceState state, string snapshotter, string key) =>
        Find(state, snapshotter, key) is { } snapshot
            ? Reply.Done(snapshot)
            : Reply.Refused<SnapshotRecord>(Error.NotFound($"snapshot {key} does not exist"));

    /// <summary>The snapshot if it is active or a view, otherwise the refusal: what Mounts asks.</summary>
    public static Reply<SnapshotRecord> Mountable(this NamespaceState state, string snapshotter, string key) =>
        state.Snapshot(snapshotter, key) is Done<SnapshotRecord> { Result.Kind: SnapshotKind.Committed }
            ? Reply.Refused<SnapshotRecord>(Error.FailedPrecondition($"snapshot \"{key}\" is not active"))
            : state.Snapshot(snapshotter, key);

    /// <summary>A snapshot's ancestors, its parent first.</summary>
    public static ImmutableArray<SnapshotRecord> Parents(this NamespaceState state, SnapshotRecord snapshot)
    {
        ImmutableArray<SnapshotRecord>.Builder parents = ImmutableArray.CreateBuilder<SnapshotRecord>();
        for (SnapshotRecord? parent = Find(state, snapshot.Snapshotter, snapshot.Parent);
            parent is not null;
            parent = Find(state, parent.Snapshotter, parent.Parent))
        {
            parents.Add(parent);
        }

        return parents.DrainToImmutable();
    }

    /// <summary>Records an active snapshot or a view.</summary>
    public static Decision<SnapshotRecord> Decide(this NamespaceState state, SnapshotCommands.Prepare command, DateTimeOffset at)
    {
        string lease = command.Caller.Lease;
        if (command.Key.Length == 0)
        {
            return Decision.Refused<SnapshotRecord>(Error.Invalid("snapshot key must not be empty"));
        }

        if (LabelRules.Validate(command.Labels) is { } badLabel)
        {
            return Decision.Refused<SnapshotRecord>(badLabel);
        }

        if (command.Labels.TryGetValue(TargetLabel, out string? target) && Find(state, command.Snapshotter, target) is not null)
        {
            return Existing(state, lease, command.Snapshotter, target, $"target snapshot \"{target}\"");
        }

        if (Find(state, command.Snapshotter, command.Key) is not null)
        {
            return Existing(state, lease, command.Snapshotter, command.Key, $"snapshot \"{command.Key}\"");
        }

        if (ParentRefusal(state, command.Snapshotter, command.Parent) is { } badParent)
        {
            return Decision.Refused<SnapshotRecord>(badParent);
        }

        if (state.Attaching(lease, LeaseResources.Snapshot(command.Snapshotter, command.Key), out var attach) is { } noLease)
        {
            return Decision.Refused<SnapshotRecord>(noLease);
        }

        var snapshot = new SnapshotRecord(
            command.Snapshotter, command.Key, command.Parent, command.Kind, LabelRules.Kept(command.Labels), command.Backend, null, at, at)
        {
            BackendKey = command.BackendKey,
        };
        return Decision.Done(snapshot, state.Opening([new SnapshotEvents.Prepared(snapshot), .. attach]));
    }

    /// <summary>Records a committed snapshot that a plugin had already; refused as one that exists, which is what the caller hoped for.</summary>
    public static Decision<SnapshotRecord> Decide(this NamespaceState state, SnapshotCommands.Adopt command, DateTimeOffset at)
    {
        string exists = $"target snapshot \"{command.Name}\"";
        if (Find(state, command.Snapshotter, command.Name) is not null)
        {
            return Existing(state, command.Caller.Lease, command.Snapshotter, command.Name, exists);
        }

        if (ParentRefusal(state, command.Snapshotter, command.Parent) is { } badParent)
        {
            return Decision.Refused<SnapshotRecord>(badParent);
        }

        if (state.Attaching(command.Caller.Lease, LeaseResources.Snapshot(command.Snapshotter, command.Name), out var attach) is { } noLease)
        {
            return Decision.Refused<SnapshotRecord>(noLease);
        }

        var snapshot = new SnapshotRecord(
            command.Snapshotter, command.Name, command.Parent, SnapshotKind.Committed, LabelRules.Kept(command.Labels), command.Backend, null, at, at)
        {
            BackendKey = command.BackendKey,
        };
        return new Decision<SnapshotRecord>(
            state.Opening([new SnapshotEvents.Prepared(snapshot), .. attach]), Reply.Refused<SnapshotRecord>(Error.AlreadyExists(exists)));
    }

    /// <summary>Turns an active snapshot into a committed one.</summary>
    public static Decision<SnapshotRecord> Decide(this NamespaceState state, SnapshotCommands.Commit command, DateTimeOffset at)
    {
        if (command.Name.Length == 0)
        {
            return Decision.Refused<SnapshotRecord>(Error.Invalid("snapshot name must not be empty"));
        }

        if (LabelRules.Validate(command.Labels) is { } badLabel)
        {
            return Decision.Refused<SnapshotRecord>(badLabel);
        }

        string lease = command.Caller.Lease;
        if (Find(state, command.Snapshotter, command.Name) is not null)
        {
            return Existing(state, lease, command.Snapshotter, command.Name, $"snapshot \"{command.Name}\"");
        }

        if (Find(state, command.Snapshotter, command.Key) is not { } active)
        {
            return Decision.Refused<SnapshotRecord>(Error.NotFound($"snapshot {command.Key} does not exist"));
        }

        if (active.Kind != SnapshotKind.Active)
        {
            return Decision.Refused<SnapshotRecord>(Error.FailedPrecondition($"snapshot \"{command.Key}\" is not active"));
        }

        if (command.Parent.Length > 0 && active.Parent.Length > 0 && command.Parent != active.Parent)
        {
            return Decision.Refused<SnapshotRecord>(
                Error.Invalid($"snapshot \"{command.Key}\" has parent \"{active.Parent}\", cannot be rebased on \"{command.Parent}\""));
        }

        string parent = active.Parent.Length > 0 ? active.Parent : command.Parent;
        if (ParentRefusal(state, command.Snapshotter, parent) is { } badParent)
        {
            return Decision.Refused<SnapshotRecord>(badParent);
        }

        if (state.Attaching(lease, LeaseResources.Snapshot(command.Snapshotter, command.Name), out var attach) is { } noLease)
        {
            return Decision.Refused<SnapshotRecord>(noLease);
        }

        var snapshot = new SnapshotRecord(
            command.Snapshotter,
            command.Name,
            parent,
            SnapshotKind.Committed,
            LabelRules.Kept(command.Labels),
            active.Backend,
            command.Usage,
            at,
            at)
        {
            BackendKey = command.BackendKey,
        };
        return Decision.Done(snapshot, [
            new SnapshotEvents.Committed(command.Key, snapshot),
            .. state.Detaching(lease, LeaseResources.Snapshot(command.Snapshotter, command.Key)),
            .. attach,
        ]);
    }

    /// <summary>Changes labels.</summary>
    public static Decision<SnapshotRecord> Decide(this NamespaceState state, SnapshotCommands.Update command, DateTimeOffset at)
    {
        if (Find(state, command.Snapshotter, command.Key) is not { } snapshot)
        {
            return Decision.Refused<SnapshotRecord>(Error.NotFound($"snapshot {command.Key} does not exist"));
        }

        Reply<ImmutableSortedDictionary<string, string>> labels =
            LabelMask.Snapshot(command.Key, snapshot.Labels, command.Labels, command.Mask);
        if (labels is Refused<ImmutableSortedDictionary<string, string>> refused)
        {
            return Decision.Refused<SnapshotRecord>(refused.Error);
        }

        SnapshotRecord updated = snapshot with { Labels = labels.Value, UpdatedAt = at };
        return Decision.Done(updated, new SnapshotEvents.Updated(updated));
    }

    /// <summary>Removes a snapshot without children.</summary>
    public static Decision<Nothing> Decide(this NamespaceState state, SnapshotCommands.Remove command)
    {
        if (Find(state, command.Snapshotter, command.Key) is null)
        {
            return Decision.Refused<Nothing>(Error.NotFound($"snapshot {command.Key} does not exist"));
        }

        return state.Children.ContainsKey(new SnapshotName(command.Snapshotter, command.Key))
            ? Decision.Refused<Nothing>(Error.FailedPrecondition("cannot remove snapshot with child"))
            : Decision.Done([
                new SnapshotEvents.Removed(command.Snapshotter, command.Key),
                .. state.Detaching(command.Caller.Lease, LeaseResources.Snapshot(command.Snapshotter, command.Key)),
            ]);
    }

    private static SnapshotRecord? Find(NamespaceState state, string snapshotter, string key) =>
        state.Snapshots.GetValueOrDefault(new SnapshotName(snapshotter, key));

    private static Error? ParentRefusal(NamespaceState state, string snapshotter, string parent)
    {
        if (parent.Length == 0)
        {
            return null;
        }

        return Find(state, snapshotter, parent) switch
        {
            null => Error.NotFound($"parent snapshot {parent} does not exist"),
            { Kind: SnapshotKind.Committed } => null,
            _ => Error.Invalid($"parent \"{parent}\" is not committed snapshot"),
        };
    }

    // A snapshot that exists already is what the caller wanted to have: its lease keeps it although the request is refused.
    private static Decision<SnapshotRecord> Existing(
        NamespaceState state, string lease, string snapshotter, string key, string what) =>
        state.Attaching(lease, LeaseResources.Snapshot(snapshotter, key), out var attach) is { } noLease
            ? Decision.Refused<SnapshotRecord>(noLease)
            : new Decision<SnapshotRecord>(attach, Reply.Refused<SnapshotRecord>(Error.AlreadyExists(what)));
}
