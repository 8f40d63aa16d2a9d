// SPDX-License-Identifier: Apache-2.0

using System.Threading.Channels;
using Akka.Actor;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Runs;

namespace Containerd.Actors.Grpc.Runs;

/// <summary>Stands for the caller of one run in the tree: at most three steps and the end.</summary>
internal sealed class RunWatcher(ChannelWriter<RunProgress> steps) : UntypedActor
{
    public static Props Props(ChannelWriter<RunProgress> steps) => Akka.Actor.Props.Create(() => new RunWatcher(steps));

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case RunProgress progress: steps.TryWrite(progress); break;
            case Done<Nothing>: steps.TryComplete(); break;
            case Refused<Nothing> refused: steps.TryComplete(new RefusedException(refused.Error)); break;
            default: Unhandled(message); break;
        }
    }
}
