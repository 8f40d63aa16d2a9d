// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Filters;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Grpc.Calls;
using Containerd.Actors.Protocol.Errors;
using Containerd.Services.Snapshots.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Containerd.Actors.Grpc.Snapshots;

/// <summary>Layered file system trees.</summary>
/// <param name="tree">The supervision tree.</param>
/// <param name="snapshotters">Names of those the node has.</param>
public sealed class SnapshotsService(Tree tree, SnapshotterNames snapshotters) : Services.Snapshots.V1.Snapshots.SnapshotsBase
{
    private const int ListMessageMax = 100;
    private const string UpperDirectoryLabel = "containerd.io/snapshot/overlay.upperdir";

    /// <inheritdoc />
    public override async Task<PrepareSnapshotResponse> Prepare(PrepareSnapshotRequest request, ServerCallContext context)
    {
        PrepareSnapshotResponse response = new();
        response.Mounts.AddRange(await PrepareAsync(
            context, request.Snapshotter, SnapshotKind.Active, request.Key, request.Parent, request.Labels).ConfigureAwait(false));
        return response;
    }

    /// <inheritdoc />
    public override async Task<ViewSnapshotResponse> View(ViewSnapshotRequest request, ServerCallContext context)
    {
        ViewSnapshotResponse response = new();
        response.Mounts.AddRange(await PrepareAsync(
            context, request.Snapshotter, SnapshotKind.View, request.Key, request.Parent, request.Labels).ConfigureAwait(false));
        return response;
    }

    /// <inheritdoc />
    public override async Task<MountsResponse> Mounts(MountsRequest request, ServerCallContext context)
    {
        SnapshotterCommands.GetMounts mounts = new(context.Namespace(), Known(request.Snapshotter), request.Key);
        MountsResponse response = new();
        response.Mounts.AddRange((await tree.AskAsync(mounts, context.CancellationToken).ConfigureAwait(false)).Select(WireMounts.ToWire));
        return response;
    }

    /// <inheritdoc />
    public override async Task<Empty> Commit(CommitSnapshotRequest request, ServerCallContext context)
    {
        SnapshotterCommands.Commit commit = new(
            context.Namespace(), Known(request.Snapshotter), request.Name, request.Key, request.Labels.ToLabels(), request.Parent, context.Caller());
        await tree.AskAsync(commit, context.CancellationToken).ConfigureAwait(false);
        return new Empty();
    }

    /// <inheritdoc />
    public override async Task<Empty> Remove(RemoveSnapshotRequest request, ServerCallContext context)
    {
        SnapshotCommands.Remove remove = new(context.Namespace(), Known(request.Snapshotter), request.Key, context.Caller());
        await tree.AskAsync(remove, context.CancellationToken).ConfigureAwait(false);
        return new Empty();
    }

    /// <inheritdoc />
    public override async Task<StatSnapshotResponse> Stat(StatSnapshotRequest request, ServerCallContext context)
    {
        string snapshotter = Known(request.Snapshotter);
        NamespaceState state = await tree.AskAsync(new NamespaceQueries.GetState(context.Namespace()), context.CancellationToken).ConfigureAwait(false);
        SnapshotRecord record = state.Snapshots.GetValueOrDefault(new SnapshotName(snapshotter, request.Key))
            ?? throw new RefusedException(Error.NotFound($"snapshot {request.Key} does not exist"));
        return new StatSnapshotResponse { Info = ToWire(record) };
    }

    /// <inheritdoc />
    public override async Task<UpdateSnapshotResponse> Update(UpdateSnapshotRequest request, ServerCallContext context)
    {
        if (request.Info is null)
        {
            throw new RefusedException(Error.Invalid("info is required"));
        }

        SnapshotCommands.Update update = new(
            context.Namespace(),
            Known(request.Snapshotter),
            request.Info.Name,
            Protocol.Values.Labels.From(request.Info.Labels),
            request.UpdateMask is null ? [] : [.. request.UpdateMask.Paths],
            context.Caller());
        return new UpdateSnapshotResponse { Info = ToWire(await tree.AskAsync(update, context.CancellationToken).ConfigureAwait(false)) };
    }

    /// <inheritdoc />
    public override async Task List(ListSnapshotsRequest request, IServerStreamWriter<ListSnapshotsResponse> responseStream, ServerCallContext context)
    {
        string snapshotter = Known(request.Snapshotter);
        FilterSet filter = Filters(request);
        NamespaceState state = await tree.AskAsync(new NamespaceQueries.GetState(context.Namespace()), context.CancellationToken).ConfigureAwait(false);
        foreach (SnapshotRecord[] page in state.Snapshots.Values
            .Where(record => record.Snapshotter == snapshotter && filter.Matches(Adaptors.Of(record)))
            .Chunk(ListMessageMax))
        {
            ListSnapshotsResponse message = new();
            message.Info.AddRange(page.Select(ToWire));
            await responseStream.WriteAsync(message, context.CancellationToken).ConfigureAwait(false);
        }
    }

    /// <inheritdoc />
    public override async Task<UsageResponse> Usage(UsageRequest request, ServerCallContext context)
    {
        SnapshotterCommands.GetUsage usage = new(context.Namespace(), Known(request.Snapshotter), request.Key);
        SnapshotUsage measured = await tree.AskAsync(usage, context.CancellationToken).ConfigureAwait(false);
        return new UsageResponse { Size = measured.Size, Inodes = measured.Inodes };
    }

    /// <inheritdoc />
    public override async Task<Empty> Cleanup(CleanupRequest request, ServerCallContext context)
    {
        await tree.AskAsync(new SnapshotterCommands.Cleanup(context.Namespace(), Known(request.Snapshotter)), context.CancellationToken)
            .ConfigureAwait(false);
        return new Empty();
    }

    private async Task<IEnumerable<Types.Mount>> PrepareAsync(
        ServerCallContext context, string snapshotter, SnapshotKind kind, string key, string parent, IEnumerable<KeyValuePair<string, string>> labels)
    {
        SnapshotterCommands.Prepare prepare = new(
            context.Namespace(), Known(snapshotter), kind, key, parent, labels.ToLabels(), context.Caller());
        ImmutableArray<Mount> mounts = await tree.AskAsync(prepare, context.CancellationToken).ConfigureAwait(false);
        return mounts.Select(WireMounts.ToWire);
    }

    private string Known(string snapshotter) => snapshotter switch
    {
        "" => throw new RefusedException(Error.Invalid("snapshotter argument missing")),
        _ when !snapshotters.Names.Contains(snapshotter) => throw new RefusedException(Error.Invalid($"snapshotter not loaded: {snapshotter}")),
        _ => snapshotter,
    };

    // containerd does not classify what it refuses here; clients see it as unknown.
    private static FilterSet Filters(ListSnapshotsRequest request)
    {
        try
        {
            return FilterSet.Parse(request.Filters);
        }
        catch (RefusedException refused)
        {
            throw new RefusedException(Error.Unknown(refused.Error.Text));
        }
    }

    private Services.Snapshots.V1.Info ToWire(SnapshotRecord record)
    {
        Services.Snapshots.V1.Info info = new()
        {
            Name = record.Key,
            Parent = record.Parent,
            Kind = (Kind)(int)record.Kind,
            CreatedAt = Timestamp.FromDateTimeOffset(record.CreatedAt),
            UpdatedAt = Timestamp.FromDateTimeOffset(record.UpdatedAt),
        };
        info.Labels.Add(record.Labels);
        if (snapshotters.UpperDirectory(record) is { } upper)
        {
            info.Labels[UpperDirectoryLabel] = upper;
        }

        return info;
    }
}
