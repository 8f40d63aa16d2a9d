// SPDX-License-Identifier: Apache-2.0

using Akka.Actor;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Transfers;
using Containerd.Types.Transfer;

namespace Containerd.Actors.Grpc.Transfers;

/// <summary>Image store to export stream: an archive of images.</summary>
/// <param name="system">Where listeners live.</param>
public sealed class ExportTransfer(ActorSystem system) : TransferOperation<ImageStore, ImageExportStream>(ImageStore.Parser, ImageExportStream.Parser)
{
    /// <inheritdoc />
    protected override Task RunAsync(ImageStore source, ImageExportStream destination, TransferCall call, CancellationToken cancellationToken)
    {
        if (source.ExtraReferences.Any(reference => reference.IsPrefix))
        {
            throw new RefusedException(Error.NotImplemented("prefix lookup on export not implemented"));
        }

        ExportForm form = new(
            WirePlatforms.ToPlatforms(destination.Platforms),
            destination.AllPlatforms,
            destination.SkipCompatibilityManifest,
            destination.SkipNonDistributable);
        string[] names = [.. source.ExtraReferences.Select(reference => reference.Name).Prepend(source.Name).Where(name => name.Length > 0)];
        return TreeTransfers.RunAsync(
            system,
            call,
            new TransferCommands.Export(call.Namespace, [.. names.Distinct(StringComparer.Ordinal)], destination.Stream, form, call.Caller),
            cancellationToken);
    }
}
