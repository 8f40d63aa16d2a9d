// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Grpc.Calls;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Services.Streaming.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Containerd.Actors.Grpc.Streaming;

/// <summary>Streams that other calls refer to by id.</summary>
/// <param name="tree">The supervision tree.</param>
/// <param name="streams">Where they are found.</param>
public sealed class StreamingService(Tree tree, LiveStreams streams) : Services.Streaming.V1.Streaming.StreamingBase
{
    /// <summary>The first message names the stream; the answer is an empty one once it can be found. The call lasts as long as the stream.</summary>
    public override async Task Stream(IAsyncStreamReader<Any> requestStream, IServerStreamWriter<Any> responseStream, ServerCallContext context)
    {
        if (!await requestStream.MoveNext(context.CancellationToken).ConfigureAwait(false))
        {
            return;
        }

        string id = requestStream.Current.Read(StreamInit.Parser).Id;
        string ns = context.NamespaceOrNone();
        await CheckLeaseAsync(ns, context).ConfigureAwait(false);
        LiveStream stream = new(ns, id, responseStream, context.CancellationToken);
        streams.Add(stream);
        try
        {
            await stream.SendAsync(new Empty(), context.CancellationToken).ConfigureAwait(false);
            await stream.RunAsync(requestStream).ConfigureAwait(false);
        }
        finally
        {
            streams.Remove(stream);
        }
    }

    // The stream goes with its connection, so the lease has nothing to keep; but one that does not exist is refused as everywhere.
    private async Task CheckLeaseAsync(string ns, ServerCallContext context)
    {
        Caller caller = context.Caller();
        if (caller.Lease.Length > 0 && ns.Length > 0)
        {
            NamespaceState state = await tree.AskAsync(new NamespaceQueries.GetState(ns), context.CancellationToken).ConfigureAwait(false);
            if (!state.Leases.ContainsKey(caller.Lease))
            {
                throw new RefusedException(Error.NotFound("lease does not exist"));
            }
        }
    }
}
