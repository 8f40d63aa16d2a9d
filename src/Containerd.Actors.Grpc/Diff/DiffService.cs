// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Diff;
using Containerd.Actors.Grpc.Calls;
using Containerd.Actors.Grpc.Content;
using Containerd.Actors.Protocol.Errors;
using Containerd.Services.Diff.V1;
using Grpc.Core;

namespace Containerd.Actors.Grpc.Diff;

/// <summary>Layers applied to mounts, and layers made from two sets of mounts.</summary>
/// <param name="tree">The supervision tree.</param>
public sealed class DiffService(Tree tree) : Services.Diff.V1.Diff.DiffBase
{
    /// <inheritdoc />
    public override async Task<ApplyResponse> Apply(ApplyRequest request, ServerCallContext context)
    {
        if (request.Diff is null)
        {
            throw new RefusedException(Error.Invalid("diff is required"));
        }

        Oci.Images.Descriptor layer = new(request.Diff.MediaType, ContentService.ParseDigest(request.Diff.Digest), request.Diff.Size);
        DiffCommands.Apply apply = new(
            context.Namespace(), layer, WireMounts.FromWire(request.Mounts), request.SyncFs, context.Caller())
        {
            Payloads = request.Payloads.ToImmutableDictionary(payload => payload.Key, payload => payload.Value.ToValue()!),
        };
        return new ApplyResponse { Applied = ToWire(await tree.AwaitAsync(apply, context.CancellationToken).ConfigureAwait(false)) };
    }

    /// <inheritdoc />
    public override async Task<DiffResponse> Diff(DiffRequest request, ServerCallContext context)
    {
        DiffCommands.Create create = new(
            context.Namespace(),
            WireMounts.FromWire(request.Left),
            WireMounts.FromWire(request.Right),
            request.MediaType,
            request.Ref,
            request.Labels.ToLabels(),
            request.SourceDateEpoch?.ToDateTimeOffset(),
            context.Caller());
        return new DiffResponse { Diff = ToWire(await tree.AwaitAsync(create, context.CancellationToken).ConfigureAwait(false)) };
    }

    private static Types.Descriptor ToWire(Oci.Images.Descriptor descriptor)
    {
        Types.Descriptor wire = new() { MediaType = descriptor.MediaType, Digest = descriptor.Digest.ToString(), Size = descriptor.Size };
        foreach ((string name, string value) in descriptor.Annotations ?? Protocol.Values.Labels.None)
        {
            wire.Annotations[name] = value;
        }

        return wire;
    }
}
