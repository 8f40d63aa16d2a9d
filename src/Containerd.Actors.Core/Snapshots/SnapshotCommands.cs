// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Messages;

namespace Containerd.Actors.Core.Snapshots;

/// <summary>Requests that change snapshot records. Directories and mounts are the snapshotter's.</summary>
/// <remarks>
/// A snapshotter may ask <see cref="SnapshotDecisions"/> on the state of <see cref="NamespaceQueries.GetState"/> whether a request
/// would be refused before it makes a directory; what counts is the answer to the command.
/// </remarks>
public static class SnapshotCommands
{
    /// <summary>Records a new active snapshot or view, whose directory exists.</summary>
    /// <param name="Namespace">The namespace.</param>
    /// <param name="Snapshotter">Which snapshotter.</param>
    /// <param name="Kind"><see cref="SnapshotKind.Active"/> or <see cref="SnapshotKind.View"/>.</param>
    /// <param name="Key">Its key.</param>
    /// <param name="Parent">Name of a committed snapshot; empty for none.</param>
    /// <param name="Labels">Labels; <c>containerd.io/snapshot.ref</c> names what it will be committed as.</param>
    /// <param name="Backend">Number of its directory.</param>
    /// <param name="Caller">On whose behalf, under which lease.</param>
    public sealed record Prepare(
        string Namespace,
        string Snapshotter,
        SnapshotKind Kind,
        string Key,
        string Parent,
        ImmutableSortedDictionary<string, string> Labels,
        long Backend,
        Caller Caller) : IRequest<SnapshotRecord>, INamespaceCommand
    {
        /// <summary>Key in the plugin that holds it; empty for none.</summary>
        public string BackendKey { get; init; } = "";
    }

    /// <summary>
    /// Records a committed snapshot that a plugin had already when a snapshot with <see cref="SnapshotDecisions.TargetLabel"/> was to be
    /// prepared. Answered as a target that exists: refused, and kept by the caller's lease.
    /// </summary>
    /// <param name="Namespace">The namespace.</param>
    /// <param name="Snapshotter">Which snapshotter.</param>
    /// <param name="Name">Name of the target.</param>
    /// <param name="Parent">Name of its parent; empty for none.</param>
    /// <param name="Labels">Labels.</param>
    /// <param name="Backend">Number of its own.</param>
    /// <param name="BackendKey">Key in the plugin.</param>
    /// <param name="Caller">On whose behalf, under which lease.</param>
    public sealed record Adopt(
        string Namespace,
        string Snapshotter,
        string Name,
        string Parent,
        ImmutableSortedDictionary<string, string> Labels,
        long Backend,
        string BackendKey,
        Caller Caller) : IRequest<SnapshotRecord>, INamespaceCommand;

    /// <summary>Turns an active snapshot into a committed one of another name.</summary>
    /// <param name="Namespace">The namespace.</param>
    /// <param name="Snapshotter">Which snapshotter.</param>
    /// <param name="Name">The name it gets.</param>
    /// <param name="Key">The key it loses.</param>
    /// <param name="Labels">Labels; those of the key are not inherited.</param>
    /// <param name="Parent">Parent for a snapshot that has none (rebase); empty leaves it.</param>
    /// <param name="Usage">Space it takes, frozen.</param>
    /// <param name="Caller">On whose behalf, under which lease.</param>
    public sealed record Commit(
        string Namespace,
        string Snapshotter,
        string Name,
        string Key,
        ImmutableSortedDictionary<string, string> Labels,
        string Parent,
        SnapshotUsage Usage,
        Caller Caller) : IRequest<SnapshotRecord>, INamespaceCommand
    {
        /// <summary>Key in the plugin that holds it, which changes with the name; empty for none.</summary>
        public string BackendKey { get; init; } = "";
    }

    /// <summary>Changes labels.</summary>
    /// <param name="Namespace">The namespace.</param>
    /// <param name="Snapshotter">Which snapshotter.</param>
    /// <param name="Key">Key or name.</param>
    /// <param name="Labels">The wanted labels.</param>
    /// <param name="Mask"><c>labels</c> or <c>labels.K</c>; empty replaces all labels.</param>
    /// <param name="Caller">On whose behalf.</param>
    public sealed record Update(
        string Namespace,
        string Snapshotter,
        string Key,
        ImmutableSortedDictionary<string, string> Labels,
        ImmutableArray<string> Mask,
        Caller Caller) : IRequest<SnapshotRecord>, INamespaceCommand;

    /// <summary>Removes the record, which must have no children, and takes it out of the caller's lease.</summary>
    public sealed record Remove(string Namespace, string Snapshotter, string Key, Caller Caller)
        : IRequest<Nothing>, INamespaceCommand;
}
