// SPDX-License-Identifier: Apache-2.0

using System.Threading.Channels;
using Akka.Actor;
using Containerd.Actors.Protocol.Events;
using Containerd.Actors.Protocol.Messages;

namespace Containerd.Actors.Grpc.Events;

/// <summary>Stands for one subscribed client in the tree: takes publications in, in order, and never blocks whoever sends them.</summary>
/// <remarks>A client that falls further behind than the bound is let go with the key of the bound, instead of growing without end.</remarks>
internal sealed class Subscriber(ChannelWriter<Publication> queue) : UntypedActor
{
    public static Props Props(ChannelWriter<Publication> queue) => Akka.Actor.Props.Create(() => new Subscriber(queue));

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case Publication publication when !queue.TryWrite(publication):
                queue.TryComplete(new SubscriberFellBehindException());
                Context.Stop(Self);
                break;
            case Publication or Reply<Nothing>:
                break;
            default:
                Unhandled(message);
                break;
        }
    }
}

/// <summary>Ends the queue of a subscriber that did not keep up.</summary>
internal sealed class SubscriberFellBehindException : Exception;
