// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Mounts;

namespace Containerd.Actors.Core.Snapshots;

/// <summary>A snapshotter in another process, with keys of its own. What it holds belongs to this daemon.</summary>
/// <remarks>
/// Every call ends within a bound that the implementation has, and fails with a <see cref="Protocol.Errors.RefusedException"/> that
/// names the plugin when the plugin is away or slow. Keys are those of the plugin, never those of a namespace.
/// </remarks>
public interface IProxiedSnapshotter
{
    /// <summary>Name of the snapshotter.</summary>
    string Name { get; }

    /// <summary>What it can do, as configured, for example <c>rebase</c>.</summary>
    ImmutableArray<string> Capabilities { get; }

    /// <summary>Makes an active snapshot or a view and says what to mount.</summary>
    Task<ImmutableArray<Mount>> PrepareAsync(
        string ns, SnapshotKind kind, string key, string parent, ImmutableSortedDictionary<string, string> labels, CancellationToken cancellationToken);

    /// <summary>Says what to mount.</summary>
    Task<ImmutableArray<Mount>> MountsAsync(string ns, string key, CancellationToken cancellationToken);

    /// <summary>Freezes an active snapshot under a name.</summary>
    Task CommitAsync(
        string ns, string name, string key, string parent, ImmutableSortedDictionary<string, string> labels, CancellationToken cancellationToken);

    /// <summary>Measures a snapshot without its parents.</summary>
    Task<SnapshotUsage> UsageAsync(string ns, string key, CancellationToken cancellationToken);

    /// <summary>Removes a snapshot without children; a missing one is no failure.</summary>
    Task RemoveAsync(string ns, string key, CancellationToken cancellationToken);

    /// <summary>Everything it holds, in any order.</summary>
    Task<ImmutableArray<ProxiedSnapshot>> ListAsync(string ns, CancellationToken cancellationToken);

    /// <summary>Frees what it holds for nobody; a plugin that has nothing to clean up may not serve it, which is no failure.</summary>
    Task CleanupAsync(string ns, CancellationToken cancellationToken);
}

/// <summary>A snapshot as the plugin tells it.</summary>
/// <param name="Key">Its key there.</param>
/// <param name="Parent">Key of its parent there; empty for none.</param>
/// <param name="Kind">What it is for.</param>
/// <param name="Labels">Labels there.</param>
public sealed record ProxiedSnapshot(string Key, string Parent, SnapshotKind Kind, ImmutableSortedDictionary<string, string> Labels);
