// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Grpc.Calls;
using Containerd.Actors.Protocol.Errors;
using Containerd.Services.Mounts.V1;
using Containerd.Types;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Containerd.Actors.Grpc.Mounts;

/// <summary>containerd.services.mounts.v1.Mounts.</summary>
public sealed class MountsService(Tree tree) : Services.Mounts.V1.Mounts.MountsBase
{
    /// <summary>Answers <c>not implemented</c> when no mount needs the daemon: clients then mount themselves.</summary>
    public override async Task<ActivateResponse> Activate(ActivateRequest request, ServerCallContext context)
    {
        // Making a file system takes as long as it takes; the lane has the bound.
        Activation activation = await tree.AwaitAsync(
            new MountCommands.Activate(
                context.Namespace(), request.Name, WireMounts.FromWire(request.Mounts), request.Labels.ToLabels(), request.Temporary, context.Caller()),
            context.CancellationToken).ConfigureAwait(false);
        return new ActivateResponse { Info = ToWire(activation) };
    }

    /// <inheritdoc />
    public override async Task<Empty> Deactivate(DeactivateRequest request, ServerCallContext context)
    {
        await tree.AwaitAsync(
            new MountCommands.Deactivate(context.Namespace(), request.Name, context.Caller()), context.CancellationToken).ConfigureAwait(false);
        return new Empty();
    }

    /// <inheritdoc />
    public override async Task<InfoResponse> Info(InfoRequest request, ServerCallContext context) => new()
    {
        Info = ToWire(await tree.AskAsync(
            new MountCommands.Get(context.Namespace(), request.Name), context.CancellationToken).ConfigureAwait(false)),
    };

    /// <summary>Refused, as containerd does.</summary>
    public override Task<UpdateResponse> Update(UpdateRequest request, ServerCallContext context) =>
        throw new RefusedException(Error.NotImplemented("not implemented"));

    /// <summary>Filters are passed over, as containerd does.</summary>
    public override async Task List(ListRequest request, IServerStreamWriter<ListMessage> responseStream, ServerCallContext context)
    {
        ImmutableArray<Activation> activations =
            await tree.AskAsync(new MountCommands.List(context.Namespace()), context.CancellationToken).ConfigureAwait(false);
        foreach (Activation activation in activations)
        {
            await responseStream.WriteAsync(new ListMessage { Info = ToWire(activation) }, context.CancellationToken).ConfigureAwait(false);
        }
    }

    private static ActivationInfo ToWire(Activation activation)
    {
        ActivationInfo wire = new() { Name = activation.Name };
        wire.Active.AddRange(activation.Active.Select(active => new Types.ActiveMount
        {
            Mount = WireMounts.ToWire(active.Mount),
            MountPoint = active.MountPoint,
            MountedAt = Timestamp.FromDateTimeOffset(active.MountedAt),
        }));
        wire.System.AddRange(activation.System.Select(WireMounts.ToWire));
        wire.Labels.Add(activation.Labels);
        return wire;
    }
}
