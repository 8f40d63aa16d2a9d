// SPDX-License-Identifier: Apache-2.0

using System.Threading.Channels;
using Akka.Actor;
using Containerd.Actors.Grpc.Calls;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Pulls;
using Containerd.Actors.Protocol.Transfers;
using Containerd.Types;
using Containerd.Types.Transfer;

namespace Containerd.Actors.Grpc.Transfers;

/// <summary>Transfers that the tree does.</summary>
internal static class TreeTransfers
{
    /// <summary>Has the tree do it, tells the caller how it goes, and returns when it is done.</summary>
    /// <exception cref="RefusedException">It was refused.</exception>
    public static async Task RunAsync(
        ActorSystem system,
        TransferCall call,
        TransferCommands.Transfer transfer,
        CancellationToken cancellationToken,
        Func<PullQueries.FindCredentials, Task<PullCredentials>>? ask = null)
    {
        // As many as an image with many layers tells in a moment.
        Channel<TransferStep> steps = Channel.CreateBounded<TransferStep>(new BoundedChannelOptions(1024) { FullMode = BoundedChannelFullMode.DropOldest });
        await foreach (TransferStep step in call.Tree.FollowAsync(system, transfer, steps, ask, cancellationToken).ConfigureAwait(false))
        {
            await call.Progress.TellAsync(ToWire(step), cancellationToken).ConfigureAwait(false);
        }
    }

    private static Progress ToWire(TransferStep step)
    {
        Progress wire = new() { Event = step.Event, Name = step.Name, Progress_ = step.Offset, Total = step.Total };
        wire.Parents.AddRange(step.Parents);
        if (step.Content is { } content)
        {
            wire.Desc = new Descriptor { MediaType = content.MediaType, Digest = content.Digest.ToString(), Size = content.Size };
            foreach ((string name, string value) in content.Annotations ?? Protocol.Values.Labels.None)
            {
                wire.Desc.Annotations[name] = value;
            }
        }

        return wire;
    }
}
