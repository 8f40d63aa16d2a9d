// SPDX-License-Identifier: Apache-2.0

using Akka.Actor;
using Containerd.Actors.Core.GarbageCollection;
using Containerd.Actors.Protocol.Messages;

namespace Containerd.Actors.Supervision.Snapshots;

/// <summary>Adds up what the snapshotters swept, answers once, ends.</summary>
internal sealed class SweepGathering(int left, IActorRef replyTo) : UntypedActor
{
    private int _left = left;
    private long _count;
    private long _bytes;

    public static Props Props(int snapshotters, IActorRef replyTo) => Akka.Actor.Props.Create(() => new SweepGathering(snapshotters, replyTo));

    protected override void OnReceive(object message)
    {
        if (message is Reply<Swept> reply)
        {
            // What one snapshotter could not remove now is still there for the next sweep.
            if (reply is Done<Swept> { Result: var swept })
            {
                _count += swept.Count;
                _bytes += swept.Bytes;
            }

            if (--_left == 0)
            {
                replyTo.Tell(Reply.Done(new Swept(_count, _bytes)));
                Context.Stop(Self);
            }
        }
        else
        {
            Unhandled(message);
        }
    }
}
