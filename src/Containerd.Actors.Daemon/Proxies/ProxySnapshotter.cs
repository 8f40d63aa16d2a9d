// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Daemon.Configuration;
using Containerd.Actors.Grpc.Calls;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Values;
using Containerd.Services.Snapshots.V1;
using Grpc.Core;

namespace Containerd.Actors.Daemon.Proxies;

/// <summary>A snapshotter behind containerd's snapshots API.</summary>
internal sealed class ProxySnapshotter(ProxyPlugin plugin, ProxyConnection connection) : IProxiedSnapshotter
{
    public string Name => plugin.Name;

    public ImmutableArray<string> Capabilities => plugin.Capabilities;

    private Snapshots.SnapshotsClient Snapshots => connection.Client.Snapshots;

    public async Task<ImmutableArray<Mount>> PrepareAsync(
        string ns, SnapshotKind kind, string key, string parent, ImmutableSortedDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        if (kind == SnapshotKind.View)
        {
            ViewSnapshotRequest view = new() { Snapshotter = Name, Key = key, Parent = parent };
            view.Labels.Add(labels);
            ViewSnapshotResponse viewed = await connection.CallAsync(
                ns, "View", options => Snapshots.ViewAsync(view, options).ResponseAsync, cancellationToken);
            return WireMounts.FromWire(viewed.Mounts);
        }

        PrepareSnapshotRequest prepare = new() { Snapshotter = Name, Key = key, Parent = parent };
        prepare.Labels.Add(labels);
        PrepareSnapshotResponse prepared = await connection.CallAsync(
            ns, "Prepare", options => Snapshots.PrepareAsync(prepare, options).ResponseAsync, cancellationToken);
        return WireMounts.FromWire(prepared.Mounts);
    }

    public async Task<ImmutableArray<Mount>> MountsAsync(string ns, string key, CancellationToken cancellationToken)
    {
        MountsRequest request = new() { Snapshotter = Name, Key = key };
        MountsResponse mounts = await connection.CallAsync(ns, "Mounts", options => Snapshots.MountsAsync(request, options).ResponseAsync, cancellationToken);
        return WireMounts.FromWire(mounts.Mounts);
    }

    public Task CommitAsync(
        string ns, string name, string key, string parent, ImmutableSortedDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        CommitSnapshotRequest request = new() { Snapshotter = Name, Name = name, Key = key, Parent = parent };
        request.Labels.Add(labels);
        return connection.CallAsync(ns, "Commit", options => Snapshots.CommitAsync(request, options).ResponseAsync, cancellationToken);
    }

    public async Task<SnapshotUsage> UsageAsync(string ns, string key, CancellationToken cancellationToken)
    {
        UsageRequest request = new() { Snapshotter = Name, Key = key };
        UsageResponse usage = await connection.CallAsync(ns, "Usage", options => Snapshots.UsageAsync(request, options).ResponseAsync, cancellationToken);
        return new SnapshotUsage(usage.Size, usage.Inodes);
    }

    public async Task RemoveAsync(string ns, string key, CancellationToken cancellationToken)
    {
        RemoveSnapshotRequest request = new() { Snapshotter = Name, Key = key };
        await UnlessAsync(
            ErrorKind.NotFound, connection.CallAsync(ns, "Remove", options => Snapshots.RemoveAsync(request, options).ResponseAsync, cancellationToken));
    }

    public Task<ImmutableArray<ProxiedSnapshot>> ListAsync(string ns, CancellationToken cancellationToken) =>
        connection.CallAsync(ns, "List", ListAsync, cancellationToken);

    public async Task CleanupAsync(string ns, CancellationToken cancellationToken)
    {
        CleanupRequest request = new() { Snapshotter = Name };
        await UnlessAsync(
            ErrorKind.NotImplemented, connection.CallAsync(ns, "Cleanup", options => Snapshots.CleanupAsync(request, options).ResponseAsync, cancellationToken));
    }

    private async Task<ImmutableArray<ProxiedSnapshot>> ListAsync(CallOptions options)
    {
        ImmutableArray<ProxiedSnapshot>.Builder found = ImmutableArray.CreateBuilder<ProxiedSnapshot>();
        using AsyncServerStreamingCall<ListSnapshotsResponse> call = Snapshots.List(new ListSnapshotsRequest { Snapshotter = Name }, options);
        await foreach (ListSnapshotsResponse message in call.ResponseStream.ReadAllAsync())
        {
            found.AddRange(message.Info.Select(info => new ProxiedSnapshot(info.Name, info.Parent, (SnapshotKind)(int)info.Kind, Labels.From(info.Labels))));
        }

        return found.ToImmutable();
    }

    private static async Task UnlessAsync(ErrorKind harmless, Task call)
    {
        try
        {
            await call;
        }
        catch (RefusedException refused) when (refused.Error.Kind == harmless)
        {
            // What was to be reached is so already.
        }
    }
}
