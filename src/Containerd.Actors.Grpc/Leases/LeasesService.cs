// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Filters;
using Containerd.Actors.Core.GarbageCollection;
using Containerd.Actors.Core.Leases;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Grpc.Calls;
using Containerd.Actors.Protocol.Callers;
using Containerd.Services.Leases.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Containerd.Actors.Grpc.Leases;

/// <summary>containerd.services.leases.v1.Leases.</summary>
public sealed class LeasesService(Tree tree) : Services.Leases.V1.Leases.LeasesBase
{
    /// <inheritdoc />
    public override async Task<CreateResponse> Create(CreateRequest request, ServerCallContext context)
    {
        LeaseRecord lease = await tree.AskAsync(
            new LeaseCommands.Create(context.Namespace(), request.Id, request.Labels.ToLabels(), context.Caller()),
            context.CancellationToken).ConfigureAwait(false);
        return new CreateResponse { Lease = ToWire(lease) };
    }

    /// <summary>With <c>sync</c> the answer comes after a complete garbage collection.</summary>
    public override async Task<Empty> Delete(DeleteRequest request, ServerCallContext context)
    {
        Caller caller = context.Caller();
        await tree.AskAsync(new LeaseCommands.Delete(context.Namespace(), request.Id, caller), context.CancellationToken).ConfigureAwait(false);
        if (request.Sync)
        {
            await tree.AwaitAsync(new GarbageCommands.Run(caller), context.CancellationToken).ConfigureAwait(false);
        }

        return new Empty();
    }

    /// <inheritdoc />
    public override async Task<ListResponse> List(ListRequest request, ServerCallContext context)
    {
        FilterSet filters = FilterSet.Parse(request.Filters);
        NamespaceState state = await StateAsync(context).ConfigureAwait(false);
        return new ListResponse { Leases = { state.Leases.Values.Where(lease => filters.Matches(Adaptors.Of(lease))).Select(ToWire) } };
    }

    /// <inheritdoc />
    public override async Task<Empty> AddResource(AddResourceRequest request, ServerCallContext context)
    {
        await tree.AskAsync(
            new LeaseCommands.AddResource(context.Namespace(), request.Id, ToResource(request.Resource), context.Caller()),
            context.CancellationToken).ConfigureAwait(false);
        return new Empty();
    }

    /// <inheritdoc />
    public override async Task<Empty> DeleteResource(DeleteResourceRequest request, ServerCallContext context)
    {
        await tree.AskAsync(
            new LeaseCommands.RemoveResource(context.Namespace(), request.Id, ToResource(request.Resource), context.Caller()),
            context.CancellationToken).ConfigureAwait(false);
        return new Empty();
    }

    /// <inheritdoc />
    public override async Task<ListResourcesResponse> ListResources(ListResourcesRequest request, ServerCallContext context)
    {
        NamespaceState state = await StateAsync(context).ConfigureAwait(false);
        return new ListResourcesResponse
        {
            Resources =
            {
                state.Lease(request.Id).Value.Listed().Select(resource => new Resource { Id = resource.Id, Type = resource.Type }),
            },
        };
    }

    private Task<NamespaceState> StateAsync(ServerCallContext context) =>
        tree.AskAsync(new NamespaceQueries.GetState(context.Namespace()), context.CancellationToken);

    private static LeaseResource ToResource(Resource? wire) => new(wire?.Type ?? "", wire?.Id ?? "");

    private static Lease ToWire(LeaseRecord lease) => new()
    {
        Id = lease.Id,
        Labels = { lease.Labels },
        CreatedAt = Timestamp.FromDateTimeOffset(lease.CreatedAt),
    };
}
