// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Diff;
using Containerd.Actors.Daemon.Configuration;
using Containerd.Actors.Grpc.Calls;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Errors;
using Containerd.Services.Diff.V1;
using Google.Protobuf.WellKnownTypes;

namespace Containerd.Actors.Daemon.Proxies;

/// <summary>A differ behind containerd's diff API.</summary>
internal sealed class ProxyDiffer(ProxyPlugin plugin, ProxyConnection connection) : IProxiedDiffer
{
    public string Name => plugin.Name;

    public async Task<Descriptor> ApplyAsync(DiffCommands.Apply apply, CancellationToken cancellationToken)
    {
        ApplyRequest request = new()
        {
            Diff = new Types.Descriptor { MediaType = apply.Layer.MediaType, Digest = apply.Layer.Digest.ToString(), Size = apply.Layer.Size },
            SyncFs = apply.Synchronize,
        };
        request.Mounts.Add(apply.Mounts.Select(WireMounts.ToWire));
        foreach ((string name, Protocol.Values.AnyValue payload) in apply.Payloads)
        {
            request.Payloads[name] = payload.ToAny();
        }

        ApplyResponse response = await connection.CallAsync(
            apply.Namespace, "Apply", options => connection.Client.Diff.ApplyAsync(request, options).ResponseAsync, cancellationToken);
        return FromWire(response.Applied);
    }

    public async Task<Descriptor> CreateAsync(DiffCommands.Create create, CancellationToken cancellationToken)
    {
        DiffRequest request = new()
        {
            MediaType = create.MediaType,
            Ref = create.Reference,
            SourceDateEpoch = create.SourceDateEpoch is { } epoch ? Timestamp.FromDateTimeOffset(epoch) : null,
        };
        request.Left.Add(create.Lower.Select(WireMounts.ToWire));
        request.Right.Add(create.Upper.Select(WireMounts.ToWire));
        request.Labels.Add(create.Labels);
        DiffResponse response = await connection.CallAsync(
            create.Namespace, "Diff", options => connection.Client.Diff.DiffAsync(request, options).ResponseAsync, cancellationToken);
        return FromWire(response.Diff);
    }

    private Descriptor FromWire(Types.Descriptor? wire) => wire is not null && Digest.TryParse(wire.Digest, out Digest digest)
        ? new Descriptor(wire.MediaType, digest, wire.Size)
        : throw new RefusedException(Error.Unknown($"proxy plugin \"{Name}\" at {plugin.Address}: answered without a digest"));
}
