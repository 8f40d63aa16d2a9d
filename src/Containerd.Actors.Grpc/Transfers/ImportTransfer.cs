// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Akka.Actor;
using Containerd.Actors.Grpc.Calls;
using Containerd.Actors.Grpc.Snapshots;
using Containerd.Actors.Oci.Archives;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Transfers;
using Containerd.Types.Transfer;

namespace Containerd.Actors.Grpc.Transfers;

/// <summary>Import stream to image store: the images of an archive.</summary>
/// <param name="system">Where listeners live.</param>
/// <param name="snapshotters">Where layers can be unpacked.</param>
public sealed class ImportTransfer(ActorSystem system, SnapshotterNames snapshotters)
    : TransferOperation<ImageImportStream, ImageStore>(ImageImportStream.Parser, ImageStore.Parser)
{
    private const string DefaultSnapshotter = "overlayfs";

    /// <inheritdoc />
    protected override Task RunAsync(ImageImportStream source, ImageStore destination, TransferCall call, CancellationToken cancellationToken)
    {
        ImportWish wish = new(
            destination.Name,
            [.. destination.ExtraReferences.Select(name => new ImageNaming(name.Name, name.IsPrefix, name.AllowOverwrite, name.AddDigest, name.SkipNamedDigest))],
            destination.Labels.ToLabels(),
            WirePlatforms.ToPlatforms(destination.Platforms),
            (int)Math.Min(destination.ManifestLimit, int.MaxValue),
            Unpacks(destination));
        return call.LeasedAsync(
            leased => TreeTransfers.RunAsync(
                system,
                leased,
                new TransferCommands.Import(leased.Namespace, source.Stream, source.MediaType, source.ForceCompress, wish, leased.Caller),
                cancellationToken),
            cancellationToken);
    }

    // What this host cannot unpack is left packed, as containerd leaves it.
    private ImmutableArray<UnpackWish> Unpacks(ImageStore store) =>
    [
        .. store.Unpacks
            .Select(unpack => new UnpackWish(
                unpack.Platform is null ? Platforms.Host : WirePlatforms.ToPlatform(unpack.Platform),
                unpack.Snapshotter.Length > 0 ? unpack.Snapshotter : DefaultSnapshotter))
            .Where(unpack => PlatformMatcher.Default.Match(unpack.Platform) && snapshotters.Names.Contains(unpack.Snapshotter))
            .Distinct(),
    ];
}
