// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Filters;
using Containerd.Actors.Grpc.Calls;
using Containerd.Actors.Protocol.Containers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Values;
using Containerd.Services.Containers.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Containerd.Actors.Grpc.Containers;

/// <summary>containerd.services.containers.v1.Containers.</summary>
public sealed class ContainersService(Tree tree) : Services.Containers.V1.Containers.ContainersBase
{
    /// <inheritdoc />
    public override async Task<GetContainerResponse> Get(GetContainerRequest request, ServerCallContext context)
    {
        ContainerQueries.Get get = new(context.Namespace(), request.Id, context.Caller());
        return new GetContainerResponse { Container = ToWire(await tree.AskAsync(get, context.CancellationToken).ConfigureAwait(false)) };
    }

    /// <inheritdoc />
    public override async Task<ListContainersResponse> List(ListContainersRequest request, ServerCallContext context) =>
        new() { Containers = { (await ListAsync(request, context).ConfigureAwait(false)).Select(ToWire) } };

    /// <inheritdoc />
    public override async Task ListStream(
        ListContainersRequest request, IServerStreamWriter<ListContainerMessage> responseStream, ServerCallContext context)
    {
        foreach (ContainerRecord container in await ListAsync(request, context).ConfigureAwait(false))
        {
            await responseStream.WriteAsync(
                new ListContainerMessage { Container = ToWire(container) }, context.CancellationToken).ConfigureAwait(false);
        }
    }

    /// <inheritdoc />
    public override async Task<CreateContainerResponse> Create(CreateContainerRequest request, ServerCallContext context)
    {
        ContainerCommands.Create create = new(context.Namespace(), ToRecord(request.Container), context.Caller());
        return new CreateContainerResponse { Container = ToWire(await tree.AskAsync(create, context.CancellationToken).ConfigureAwait(false)) };
    }

    /// <inheritdoc />
    public override async Task<UpdateContainerResponse> Update(UpdateContainerRequest request, ServerCallContext context)
    {
        if ((request.Container?.Id ?? "").Length == 0)
        {
            throw new RefusedException(Error.Bare(ErrorKind.InvalidArgument, "Container.ID required"));
        }

        ContainerCommands.Update update = new(
            context.Namespace(), ToRecord(request.Container), [.. request.UpdateMask?.Paths ?? []], context.Caller());
        return new UpdateContainerResponse { Container = ToWire(await tree.AskAsync(update, context.CancellationToken).ConfigureAwait(false)) };
    }

    /// <inheritdoc />
    public override async Task<Empty> Delete(DeleteContainerRequest request, ServerCallContext context)
    {
        ContainerCommands.Delete delete = new(context.Namespace(), request.Id, context.Caller());
        await tree.AskAsync(delete, context.CancellationToken).ConfigureAwait(false);
        return new Empty();
    }

    private async Task<IEnumerable<ContainerRecord>> ListAsync(ListContainersRequest request, ServerCallContext context)
    {
        FilterSet filters = FilterSet.Parse(request.Filters);
        ImmutableArray<ContainerRecord> all = await tree.AskAsync(
            new ContainerQueries.List(context.Namespace(), context.Caller()), context.CancellationToken).ConfigureAwait(false);
        return all.Where(container => filters.Matches(Adaptors.Of(container)));
    }

    private static ContainerRecord ToRecord(Container? wire) => wire is null ? new ContainerRecord("") : new ContainerRecord(wire.Id)
    {
        Labels = Labels.From(wire.Labels),
        Image = wire.Image,
        RuntimeName = wire.Runtime?.Name ?? "",
        RuntimeOptions = wire.Runtime?.Options.ToValue(),
        Spec = wire.Spec.ToValue(),
        Snapshotter = wire.Snapshotter,
        SnapshotKey = wire.SnapshotKey,
        Extensions = ImmutableSortedDictionary.Create<string, AnyValue>(StringComparer.Ordinal).SetItems(
            wire.Extensions.Select(pair => KeyValuePair.Create(pair.Key, pair.Value.ToValue()!))),
        Sandbox = wire.Sandbox,
    };

    private static Container ToWire(ContainerRecord record)
    {
        Container wire = new()
        {
            Id = record.Id,
            Labels = { record.Labels },
            Image = record.Image,
            Runtime = new Container.Types.Runtime { Name = record.RuntimeName, Options = record.RuntimeOptions.ToAny() },
            Spec = record.Spec.ToAny(),
            Snapshotter = record.Snapshotter,
            SnapshotKey = record.SnapshotKey,
            CreatedAt = Timestamp.FromDateTimeOffset(record.CreatedAt),
            UpdatedAt = Timestamp.FromDateTimeOffset(record.UpdatedAt),
            Sandbox = record.Sandbox,
        };
        foreach ((string key, AnyValue value) in record.Extensions)
        {
            wire.Extensions.Add(key, value.ToAny());
        }

        return wire;
    }
}
