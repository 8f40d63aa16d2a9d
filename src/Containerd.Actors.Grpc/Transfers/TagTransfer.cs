// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Images;
using Containerd.Actors.Core.Namespaces;
using Containerd.Types.Transfer;

namespace Containerd.Actors.Grpc.Transfers;

/// <summary>Image store to image store: further names for what a name stands for.</summary>
public sealed class TagTransfer() : TransferOperation<ImageStore, ImageStore>(ImageStore.Parser, ImageStore.Parser)
{
    /// <inheritdoc />
    protected override async Task RunAsync(ImageStore source, ImageStore destination, TransferCall call, CancellationToken cancellationToken)
    {
        NamespaceState state = await call.Tree.AskAsync(new NamespaceQueries.GetState(call.Namespace), cancellationToken).ConfigureAwait(false);
        ImageRecord image = state.Image(source.Name).Value;
        await call.StoreAsync(destination, image.Target, cancellationToken).ConfigureAwait(false);
    }
}
