// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Core.Snapshots;

namespace Containerd.Actors.Storage.Snapshots;

/// <summary>The directories behind a snapshotter. Keys, parents' names and labels are kept elsewhere; here snapshots are numbers.</summary>
/// <remarks>Safe for use by many threads as long as each number is worked on by one at a time. Parents are given nearest first.</remarks>
public interface ISnapshotBackend
{
    /// <summary>Name of the snapshotter, for example <c>overlayfs</c>.</summary>
    string Name { get; }

    /// <summary>The directory <c>io.containerd.snapshotter.v1.NAME</c>.</summary>
    string Root { get; }

    /// <summary>True if a snapshot may get its parent when it is committed, because it holds nothing of its parent's.</summary>
    bool Rebases { get; }

    /// <summary>True if making a snapshot is byte work, because its parent is copied.</summary>
    bool Copies { get; }

    /// <summary>What clients look for in <c>Introspection.Plugins</c>, for example <c>remap-ids</c>.</summary>
    ImmutableArray<string> Capabilities { get; }

    /// <summary>Makes the directory of a snapshot. What a crash left under the same number is replaced.</summary>
    void Create(long id, SnapshotKind kind, IReadOnlyList<long> parents, IReadOnlyDictionary<string, string> labels);

    /// <summary>What to mount to see the snapshot. Nothing is checked or touched on disk.</summary>
    ImmutableArray<Mount> Mounts(
        long id, SnapshotKind kind, IReadOnlyList<long> parents, IReadOnlyDictionary<string, string> labels);

    /// <summary>
    /// Where a layer is extracted to whose snapshot gets its parent when it is committed, as the mount that it will be part of but for its
    /// lower directories; empty when snapshots need their parents from the start.
    /// </summary>
    ImmutableArray<Mount> DetachedMounts(long id) => [];

    /// <summary>Gives a snapshot that was extracted without its parents what it has from them.</summary>
    /// <param name="id">The snapshot.</param>
    /// <param name="parents">Its parents, nearest first.</param>
    /// <param name="inherited">Directories of which its layer says nothing, empty for the root.</param>
    void Attach(long id, IReadOnlyList<long> parents, IReadOnlyList<string> inherited) =>
        throw new NotSupportedException($"snapshotter {Name} has no detached snapshots");

    /// <summary>Space of the snapshot without its parents; a file with many names counts once.</summary>
    SnapshotUsage Usage(long id);

    /// <summary>The same, where a snapshot holds what its parent does as well and the two must be compared.</summary>
    SnapshotUsage Usage(long id, long? parent) => Usage(id);

    /// <summary>The active snapshot becomes a parent; with <paramref name="synchronize"/> its bytes are on the disk afterwards.</summary>
    void Commit(long id, bool synchronize);

    /// <summary>True if parents have to be made ready before mounts that are told of can be mounted.</summary>
    bool MountsLayers => false;

    /// <summary>Makes parents ready. Making a snapshot on them does so too.</summary>
    void MountLayers(IReadOnlyList<long> parents)
    {
    }

    /// <summary>True if a commit leaves something that is of no use once the snapshot counts as committed.</summary>
    bool Trims => false;

    /// <summary>Removes what a committed snapshot has no use for.</summary>
    void Trim(long id)
    {
    }

    /// <summary>Removes the directory; nothing happens if there is none.</summary>
    void Remove(long id);

    /// <summary>Numbers that have a directory, ascending.</summary>
    IReadOnlyList<long> List();
}
