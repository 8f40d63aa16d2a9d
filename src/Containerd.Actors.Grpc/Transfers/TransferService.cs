// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Grpc.Calls;
using Containerd.Actors.Grpc.Streaming;
using Containerd.Services.Transfer.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Containerd.Actors.Grpc.Transfers;

/// <summary>Moves images: what, from where and to where is said by the types of source and destination.</summary>
/// <param name="tree">The supervision tree.</param>
/// <param name="streams">The streams that requests refer to.</param>
/// <param name="table">The operations.</param>
public sealed class TransferService(Tree tree, LiveStreams streams, TransferTable table) : Services.Transfer.V1.Transfer.TransferBase
{
    /// <summary>Answers when the operation is complete; cancelling the call gives the operation up.</summary>
    public override async Task<Empty> Transfer(TransferRequest request, ServerCallContext context)
    {
        string ns = context.Namespace();
        Any source = request.Source ?? new Any();
        Any destination = request.Destination ?? new Any();
        ITransferOperation operation = table.Find(source.TypeName(), destination.TypeName()) ?? throw new RpcException(new Status(
            StatusCode.Unimplemented, $"method Transfer not implemented for {source.TypeUrl} to {destination.TypeUrl}"));
        string stream = request.Options?.ProgressStream ?? "";
        TransferProgress progress = stream.Length == 0 ? TransferProgress.None : new TransferProgress(streams.Get(ns, stream));
        try
        {
            TransferCall call = new(ns, context.Caller(), tree, streams, progress);
            await operation.RunAsync(source, destination, call, context.CancellationToken).ConfigureAwait(false);
            return new Empty();
        }
        finally
        {
            progress.Close();
        }
    }
}
