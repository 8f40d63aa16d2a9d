// SPDX-License-Identifier: Apache-2.0

using System.Threading.Channels;
using Akka.Actor;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Pulls;
using Containerd.Actors.Protocol.Transfers;
using Containerd.Types;
using Containerd.Types.Transfer;

namespace Containerd.Actors.Grpc.Transfers;

/// <summary>Stands for one call of Transfer in the tree. A slow caller misses steps in between; when it is gone, the transfer is given up.</summary>
/// <param name="steps">Where the steps go.</param>
/// <param name="ask">Asks the caller who it is; only called when it said that it answers.</param>
internal sealed class TransferListener(
    ChannelWriter<TransferStep> steps, Func<PullQueries.FindCredentials, Task<PullCredentials>>? ask) : UntypedActor
{
    public static Props Props(ChannelWriter<TransferStep> steps, Func<PullQueries.FindCredentials, Task<PullCredentials>>? ask) =>
        Akka.Actor.Props.Create(() => new TransferListener(steps, ask));

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case TransferStep step: steps.TryWrite(step); break;
            case PullQueries.FindCredentials find when ask is not null:
                ask(find).PipeTo(Sender, Self, found => Reply.Done(found), cause => Reply.Refused<PullCredentials>(PullListener.ErrorOf(cause)));
                break;
            case Done<Nothing>: steps.TryComplete(); break;
            case Refused<Nothing> refused: steps.TryComplete(new RefusedException(refused.Error)); break;
            default: Unhandled(message); break;
        }
    }
}

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
        IActorRef listener = system.ActorOf(TransferListener.Props(steps.Writer, ask));
        try
        {
            call.Tree.Root.Tell(transfer, listener);
            await foreach (TransferStep step in steps.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                await call.Progress.TellAsync(ToWire(step), cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            system.Stop(listener);
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
