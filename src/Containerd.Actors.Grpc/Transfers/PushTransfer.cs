// SPDX-License-Identifier: Apache-2.0

using Akka.Actor;
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
        RegistryResolver resolver = destination.Resolver ?? new RegistryResolver();
        CredentialStream? credentials = resolver.AuthStream.Length > 0 ? new CredentialStream(call.Stream(resolver.AuthStream)) : null;
        TransferCommands.Push push = new(
            call.Namespace,
            source.Name,
            destination.Reference,
            WirePlatforms.ToPlatforms(source.Platforms),
            WireRegistry.ToSource(resolver),
            call.Caller);
        return TreeTransfers.RunAsync(
            system, call, push, cancellationToken, find => credentials!.FindAsync(find.Host, destination.Reference, cancellationToken));
    }
}
