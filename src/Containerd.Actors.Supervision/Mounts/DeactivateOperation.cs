// SPDX-License-Identifier: Apache-2.0

using Akka.Actor;
using Containerd.Actors.Core.Executor;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Storage.Effects;

namespace Containerd.Actors.Supervision.Mounts;

/// <summary>One deactivation: have the record removed, unmount, answer, end. What is in use is told, and goes with the next sweep.</summary>
internal sealed class DeactivateOperation : UntypedActor
{
    private readonly IActorRef _replyTo;
    private readonly IActorRef _executor;

    public DeactivateOperation(MountCommands.Deactivate deactivate, IActorRef replyTo, IActorRef executor, IActorRef namespaces)
    {
        (_replyTo, _executor) = (replyTo, executor);
        namespaces.Tell(new ActivationCommands.Remove(deactivate.Namespace, deactivate.Name, "", deactivate.By));
    }

    public static Props Props(MountCommands.Deactivate deactivate, IActorRef replyTo, IActorRef executor, IActorRef namespaces) =>
        Akka.Actor.Props.Create(() => new DeactivateOperation(deactivate, replyTo, executor, namespaces));

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case Done<Activation> removed: _executor.Tell(new Execute(new MountEffects.Deactivate([removed.Result.Number], IsForced: false))); break;
            case Refused<Activation> refused: End(Reply.Refused<Nothing>(refused.Error)); break;
            case Outcome { Refusal: { } error }: End(Reply.Refused<Nothing>(error)); break;
            case Outcome: End(Reply.Done()); break;
            default: Unhandled(message); break;
        }
    }

    private void End(Reply<Nothing> reply)
    {
        _replyTo.Tell(reply);
        Context.Stop(Self);
    }
}
