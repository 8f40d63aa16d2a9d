// SPDX-License-Identifier: Apache-2.0

using Akka.Actor;
using Containerd.Actors.Protocol.Pulls;
using Containerd.Actors.Protocol.Transfers;
using Containerd.Types.Transfer;

namespace Containerd.Actors.Grpc.Transfers;

/// <summary>Image store to registry: a push.</summary>
/// <param name="system">Where listeners live.</param>
public sealed class PushTransfer(ActorSystem system) : TransferOperation<ImageStore, OCIRegistry>(ImageStore.Parser, OCIRegistry.Parser)
{
    /// <inheritdoc />
    protected override Task RunAsync(ImageStore source, OCIRegistry destination, TransferCall call, CancellationToken cancellationToken)
    {
        PullSource registry = new(destination.Resolver?.DefaultScheme == "http", destination.Resolver?.HostDir ?? "", "", "");
        TransferCommands.Push push = new(call.Namespace, source.Name, destination.Reference, WirePlatforms.ToPlatforms(source.Platforms), registry, call.Caller);
        return TreeTransfers.RunAsync(system, call, push, cancellationToken);
    }
}
