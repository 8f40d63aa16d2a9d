// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Grpc.Calls;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Ttrpc;
using Containerd.Services.Events.Ttrpc.V1;
using Google.Protobuf.WellKnownTypes;

namespace Containerd.Actors.Grpc.Events;

/// <summary>The events service as shims see it, over ttrpc.</summary>
public static class TtrpcEvents
{
    private const string Service = "containerd.services.events.ttrpc.v1.Events";

    /// <summary>The handlers of the daemon's ttrpc socket.</summary>
    public static TtrpcHandlers Handlers(Tree tree) => new TtrpcHandlers().Add(
        Service, "Forward", ForwardRequest.Parser, (call, request) => ForwardAsync(tree, request, call.Cancellation));

    private static async Task<Empty> ForwardAsync(Tree tree, ForwardRequest request, CancellationToken cancellation)
    {
        try
        {
            await tree.AskAsync(EventsService.ToForward(request.Envelope, Caller.Kernel), cancellation).ConfigureAwait(false);
            return new Empty();
        }
        catch (RefusedException refused)
        {
            throw new TtrpcStatusException((TtrpcCode)(int)Errors.Code(refused.Error.Kind), refused.Error.Text);
        }
    }
}
