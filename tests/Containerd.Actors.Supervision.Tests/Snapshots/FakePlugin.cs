// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Collections.Immutable;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Values;

namespace Containerd.Actors.Supervision.Tests.Snapshots;

/// <summary>A snapshotter in memory that waits where it is told to.</summary>
internal sealed class FakePlugin : IProxiedSnapshotter
{
    public ConcurrentDictionary<string, ProxiedSnapshot> Held { get; } = new();

    public string Name => "far";

    public ImmutableArray<string> Capabilities { get; init; } = [];

    /// <summary>Every preparation waits for it.</summary>
    public Task Gate { get; set; } = Task.CompletedTask;

    public async Task<ImmutableArray<Mount>> PrepareAsync(
        string ns, SnapshotKind kind, string key, string parent, ImmutableSortedDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        await Gate.WaitAsync(cancellationToken);
        Held[key] = new ProxiedSnapshot(key, parent, kind, labels);
        return [new Mount("bind", key, "", [])];
    }

    public Task<ImmutableArray<Mount>> MountsAsync(string ns, string key, CancellationToken cancellationToken) =>
        Task.FromResult<ImmutableArray<Mount>>([new Mount("bind", Held[key].Key, "", [])]);

    public Task CommitAsync(
        string ns, string name, string key, string parent, ImmutableSortedDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        ProxiedSnapshot active = Take(key);
        Held[name] = new ProxiedSnapshot(name, active.Parent.Length > 0 ? active.Parent : parent, SnapshotKind.Committed, labels);
        return Task.CompletedTask;
    }

    public Task<SnapshotUsage> UsageAsync(string ns, string key, CancellationToken cancellationToken) =>
        Held.ContainsKey(key) ? Task.FromResult(new SnapshotUsage(10, 2)) : throw Missing(key);

    public Task RemoveAsync(string ns, string key, CancellationToken cancellationToken)
    {
        Held.TryRemove(key, out _);
        return Task.CompletedTask;
    }

    public Task<ImmutableArray<ProxiedSnapshot>> ListAsync(string ns, CancellationToken cancellationToken) =>
        Task.FromResult(Held.Values.ToImmutableArray());

    public Task CleanupAsync(string ns, CancellationToken cancellationToken) => Task.CompletedTask;

    public void Has(string key, string target) =>
        Held[key] = new ProxiedSnapshot(key, "", SnapshotKind.Committed, Labels.None.Add(SnapshotDecisions.TargetLabel, target));

    private ProxiedSnapshot Take(string key) => Held.TryRemove(key, out ProxiedSnapshot? active) ? active : throw Missing(key);

    private static RefusedException Missing(string key) => new(Error.NotFound($"snapshot {key} does not exist"));
}
