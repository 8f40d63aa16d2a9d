// SPDX-License-Identifier: Apache-2.0

using System.Threading.Channels;
using Akka.Actor;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Pulls;

namespace Containerd.Actors.Grpc.Node;

/// <summary>Stands for one caller of <c>Node.Pull</c> in the tree. A slow caller misses steps in between, never the last.</summary>
internal sealed class PullWatcher(ChannelWriter<PullProgress> steps) : UntypedActor
{
    public static Props Props(ChannelWriter<PullProgress> steps) => Akka.Actor.Props.Create(() => new PullWatcher(steps));

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case PullProgress progress:
                steps.TryWrite(progress);
                if (progress.IsFinal)
                {
                    steps.TryComplete();
                }

                break;
            case Refused<Nothing> refused:
                steps.TryComplete(new RefusedException(refused.Error));
                break;
            default:
                Unhandled(message);
                break;
        }
    }
}
