// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Executor;
using Containerd.Actors.Core.Snapshots;

namespace Containerd.Actors.Storage.Effects;

/// <summary>What lanes do to the directories of snapshots.</summary>
public static class SnapshotEffects
{
    /// <summary>Makes the directory of a snapshot; parents nearest first.</summary>
    /// <param name="Snapshotter">Which snapshotter.</param>
    /// <param name="Id">Number of the directory.</param>
    /// <param name="Kind">What the snapshot is for.</param>
    /// <param name="Parents">Numbers of the parents' directories.</param>
    /// <param name="Labels">What the snapshotter may look at.</param>
    /// <param name="Copies">True when the snapshotter copies its parent, which is byte work.</param>
    public sealed record Create(
        string Snapshotter,
        long Id,
        SnapshotKind Kind,
        ImmutableArray<long> Parents,
        ImmutableSortedDictionary<string, string> Labels,
        bool Copies) : Effect
    {
        /// <inheritdoc />
        public override LaneKind Lane => Copies ? LaneKind.Bulk : LaneKind.Mount;

        /// <inheritdoc />
        public override string Subject => $"{Snapshotter}/{Id}";

        /// <inheritdoc />
        public override string Call => "mkdir";
    }

    /// <summary>Measures a directory. The value is a <see cref="SnapshotUsage"/>.</summary>
    public sealed record Measure(string Snapshotter, long Id) : Effect
    {
        /// <summary>Number of the parent's directory; null if there is none.</summary>
        public long? Parent { get; init; }

        /// <inheritdoc />
        public override LaneKind Lane => LaneKind.Bulk;

        /// <inheritdoc />
        public override string Subject => $"{Snapshotter}/{Id}";

        /// <inheritdoc />
        public override string Call => "getdents64";
    }

    /// <summary>Measures a directory and makes it fit to be a parent. The value is a <see cref="SnapshotUsage"/>.</summary>
    public sealed record Commit(string Snapshotter, long Id, bool Synchronize) : Effect
    {
        /// <summary>Numbers of the parents that it gets only now, nearest first; empty when it has them already.</summary>
        public ImmutableArray<long> Parents { get; init; } = [];

        /// <summary>Directories that are to be as those of the parents.</summary>
        public ImmutableArray<string> Inherited { get; init; } = [];

        /// <summary>Number of the parent's directory; null if there is none.</summary>
        public long? Parent { get; init; }

        /// <inheritdoc />
        public override LaneKind Lane => LaneKind.Bulk;

        /// <inheritdoc />
        public override string Subject => $"{Snapshotter}/{Id}";

        /// <inheritdoc />
        public override string Call => "syncfs";
    }

    /// <summary>Makes parents ready to be mounted on; nearest first.</summary>
    public sealed record MountLayers(string Snapshotter, ImmutableArray<long> Parents) : Effect
    {
        /// <inheritdoc />
        public override LaneKind Lane => LaneKind.Mount;

        /// <inheritdoc />
        public override string Subject => $"{Snapshotter}/{string.Join(',', Parents)}";

        /// <inheritdoc />
        public override string Call => "mount";
    }

    /// <summary>Removes what a committed snapshot has no use for.</summary>
    public sealed record Trim(string Snapshotter, long Id) : Effect
    {
        /// <inheritdoc />
        public override LaneKind Lane => LaneKind.Bulk;

        /// <inheritdoc />
        public override string Subject => $"{Snapshotter}/{Id}";

        /// <inheritdoc />
        public override string Call => "unlinkat";
    }

    /// <summary>Removes directories; missing ones are no failure.</summary>
    public sealed record Remove(string Snapshotter, ImmutableArray<long> Ids) : Effect
    {
        /// <inheritdoc />
        public override LaneKind Lane => LaneKind.Bulk;

        /// <inheritdoc />
        public override string Subject => $"{Snapshotter}/{string.Join(',', Ids)}";

        /// <inheritdoc />
        public override string Call => "unlinkat";
    }

    /// <summary>Lists the directories there are. The value is a list of <c>long</c>.</summary>
    public sealed record List(string Snapshotter) : Effect
    {
        /// <inheritdoc />
        public override LaneKind Lane => LaneKind.Mount;

        /// <inheritdoc />
        public override string Subject => Snapshotter;

        /// <inheritdoc />
        public override string Call => "getdents64";
    }
}
