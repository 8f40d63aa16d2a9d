// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Messages;

namespace Containerd.Actors.Core.Snapshots;

/// <summary>A message for one snapshotter; supervisors route by it.</summary>
public interface IForSnapshotter : IInNamespace, IRequest
{
    /// <summary>Name of the snapshotter.</summary>
    string Snapshotter { get; }
}

/// <summary>What needs a snapshotter's directories; what needs records only is asked of the namespace.</summary>
public static class SnapshotterCommands
{
    /// <summary>Makes an active snapshot or a view and says what to mount.</summary>
    /// <param name="Namespace">The namespace.</param>
    /// <param name="Snapshotter">Which snapshotter.</param>
    /// <param name="Kind"><see cref="SnapshotKind.Active"/> or <see cref="SnapshotKind.View"/>.</param>
    /// <param name="Key">Its key.</param>
    /// <param name="Parent">Name of a committed snapshot; empty for none.</param>
    /// <param name="Labels">Labels; those under <c>containerd.io/snapshot/</c> reach the directories.</param>
    /// <param name="By">On whose behalf.</param>
    public sealed record Prepare(
        string Namespace,
        string Snapshotter,
        SnapshotKind Kind,
        string Key,
        string Parent,
        ImmutableSortedDictionary<string, string> Labels,
        Caller By) : IRequest<ImmutableArray<Mount>>, IForSnapshotter
    {
        /// <summary>
        /// True for a layer that is extracted before its parent is there and gets it when it is committed. The mounts are then for
        /// <see cref="Diff.DiffCommands.Extract"/> only. Snapshotters that cannot do so refuse it as not implemented.
        /// </summary>
        public bool IsDetached { get; init; }
    }

    /// <summary>Says what to mount for an active snapshot or a view.</summary>
    public sealed record GetMounts(string Namespace, string Snapshotter, string Key) : IRequest<ImmutableArray<Mount>>, IForSnapshotter;

    /// <summary>Freezes an active snapshot under a name; its key is free again.</summary>
    /// <param name="Namespace">The namespace.</param>
    /// <param name="Snapshotter">Which snapshotter.</param>
    /// <param name="Name">The name it gets.</param>
    /// <param name="Key">The key it loses.</param>
    /// <param name="Labels">Labels of the committed snapshot.</param>
    /// <param name="Parent">Parent for a snapshot that has none; empty leaves it.</param>
    /// <param name="By">On whose behalf.</param>
    public sealed record Commit(
        string Namespace,
        string Snapshotter,
        string Name,
        string Key,
        ImmutableSortedDictionary<string, string> Labels,
        string Parent,
        Caller By) : IRequest<Nothing>, IForSnapshotter
    {
        /// <summary>For a detached snapshot: directories of which its layer says nothing, which become as those of the parents.</summary>
        public ImmutableArray<string> Inherited { get; init; } = [];
    }

    /// <summary>Measures a snapshot without its parents: active ones now, committed ones as they were then.</summary>
    public sealed record GetUsage(string Namespace, string Snapshotter, string Key) : IRequest<SnapshotUsage>, IForSnapshotter;

    /// <summary>Removes what no namespace knows of any more, without waiting for garbage to be collected.</summary>
    public sealed record Cleanup(string Namespace, string Snapshotter) : IRequest<Nothing>, IForSnapshotter;
}
