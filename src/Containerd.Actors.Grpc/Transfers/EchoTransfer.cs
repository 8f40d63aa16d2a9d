// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Grpc.Streaming;
using Containerd.Types.Transfer;

namespace Containerd.Actors.Grpc.Transfers;

/// <summary>Import stream to export stream: the bytes come back as they are, which is how clients try out their streams.</summary>
public sealed class EchoTransfer()
    : TransferOperation<ImageImportStream, ImageExportStream>(ImageImportStream.Parser, ImageExportStream.Parser)
{
    /// <inheritdoc />
    protected override async Task RunAsync(
        ImageImportStream source, ImageExportStream destination, TransferCall call, CancellationToken cancellationToken)
    {
        IncomingByteStream from = new(call.Stream(source.Stream));
        await using (from.ConfigureAwait(false))
        {
            OutgoingByteStream to = new(call.Stream(destination.Stream));
            await using (to.ConfigureAwait(false))
            {
                await from.CopyToAsync(to, OutgoingByteStream.ChunkBytesMax, cancellationToken).ConfigureAwait(false);
            }
        }
    }
}
