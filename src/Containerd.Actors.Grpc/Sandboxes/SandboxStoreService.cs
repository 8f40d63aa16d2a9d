// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Filters;
using Containerd.Actors.Grpc.Calls;
using Containerd.Actors.Protocol.Sandboxes;
using Containerd.Services.Sandbox.V1;
using Grpc.Core;

namespace Containerd.Actors.Grpc.Sandboxes;

/// <summary>containerd.services.sandbox.v1.Store.</summary>
public sealed class SandboxStoreService(Tree tree) : Store.StoreBase
{
    /// <inheritdoc />
    public override async Task<StoreCreateResponse> Create(StoreCreateRequest request, ServerCallContext context)
    {
        SandboxCommands.Create create = new(context.Namespace(), WireSandboxes.FromWire(request.Sandbox), context.Caller());
        return new StoreCreateResponse { Sandbox = WireSandboxes.ToWire(await tree.AskAsync(create, context.CancellationToken).ConfigureAwait(false)) };
    }

    /// <inheritdoc />
    public override async Task<StoreUpdateResponse> Update(StoreUpdateRequest request, ServerCallContext context)
    {
        SandboxCommands.Update update = new(
            context.Namespace(), WireSandboxes.FromWire(request.Sandbox), [.. request.Fields], context.Caller());
        return new StoreUpdateResponse { Sandbox = WireSandboxes.ToWire(await tree.AskAsync(update, context.CancellationToken).ConfigureAwait(false)) };
    }

    /// <inheritdoc />
    public override async Task<StoreDeleteResponse> Delete(StoreDeleteRequest request, ServerCallContext context)
    {
        SandboxCommands.Delete delete = new(context.Namespace(), request.SandboxId, context.Caller());
        await tree.AskAsync(delete, context.CancellationToken).ConfigureAwait(false);
        return new StoreDeleteResponse();
    }

    /// <inheritdoc />
    public override async Task<StoreListResponse> List(StoreListRequest request, ServerCallContext context)
    {
        string ns = context.Namespace();
        FilterSet filters = FilterSet.Parse(request.Filters);
        ImmutableArray<SandboxRecord> all = await tree.AskAsync(
            new SandboxQueries.List(ns, context.Caller()), context.CancellationToken).ConfigureAwait(false);
        return new StoreListResponse { List = { all.Where(sandbox => filters.Matches(Adaptors.Of(sandbox))).Select(WireSandboxes.ToWire) } };
    }

    /// <inheritdoc />
    public override async Task<StoreGetResponse> Get(StoreGetRequest request, ServerCallContext context)
    {
        SandboxQueries.Get get = new(context.Namespace(), request.SandboxId, context.Caller());
        return new StoreGetResponse { Sandbox = WireSandboxes.ToWire(await tree.AskAsync(get, context.CancellationToken).ConfigureAwait(false)) };
    }
}
