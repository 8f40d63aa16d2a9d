// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Grpc.Calls;
using Containerd.Actors.Protocol.Values;
using Containerd.Services.Namespaces.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Containerd.Actors.Grpc.Namespaces;

/// <summary>containerd.services.namespaces.v1.Namespaces. Needs no namespace in the call.</summary>
public sealed class NamespacesService(Tree tree) : Services.Namespaces.V1.Namespaces.NamespacesBase
{
    /// <summary>A namespace that does not exist is one without labels.</summary>
    public override async Task<GetNamespaceResponse> Get(GetNamespaceRequest request, ServerCallContext context)
    {
        NamespaceState state = await tree.AskAsync(new NamespaceQueries.GetState(request.Name), context.CancellationToken).ConfigureAwait(false);
        return new GetNamespaceResponse { Namespace = ToWire(state) };
    }

    /// <inheritdoc />
    public override async Task<ListNamespacesResponse> List(ListNamespacesRequest request, ServerCallContext context)
    {
        ImmutableArray<NamespaceState> all = await tree.AskAsync(new NamespaceQueries.List(), context.CancellationToken).ConfigureAwait(false);
        return new ListNamespacesResponse { Namespaces = { all.Select(ToWire) } };
    }

    /// <inheritdoc />
    public override async Task<CreateNamespaceResponse> Create(CreateNamespaceRequest request, ServerCallContext context)
    {
        Namespace wanted = request.Namespace ?? new Namespace();
        NamespaceState state = await tree.AskAsync(
            new NamespaceCommands.Create(wanted.Name, wanted.Labels.ToLabels(), context.Caller()), context.CancellationToken).ConfigureAwait(false);
        return new CreateNamespaceResponse { Namespace = ToWire(state) };
    }

    /// <inheritdoc />
    public override async Task<UpdateNamespaceResponse> Update(UpdateNamespaceRequest request, ServerCallContext context)
    {
        Namespace wanted = request.Namespace ?? new Namespace();
        NamespaceState state = await tree.AskAsync(
            new NamespaceCommands.Update(
                wanted.Name, Labels.From(wanted.Labels), [.. request.UpdateMask?.Paths ?? []], context.Caller()),
            context.CancellationToken).ConfigureAwait(false);
        return new UpdateNamespaceResponse { Namespace = ToWire(state) };
    }

    /// <inheritdoc />
    public override async Task<Empty> Delete(DeleteNamespaceRequest request, ServerCallContext context)
    {
        await tree.AskAsync(new NamespaceCommands.Delete(request.Name, context.Caller()), context.CancellationToken).ConfigureAwait(false);
        return new Empty();
    }

    private static Namespace ToWire(NamespaceState state) => new() { Name = state.Name, Labels = { state.Labels } };
}
