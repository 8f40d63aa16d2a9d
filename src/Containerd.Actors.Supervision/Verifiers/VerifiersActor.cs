// SPDX-License-Identifier: Apache-2.0

using Akka.Actor;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Pulls;

namespace Containerd.Actors.Supervision.Verifiers;

/// <summary>Has images verified before they are pulled; one child for each request.</summary>
public sealed class VerifiersActor(IActorRef executor, VerifierSettings settings) : UntypedActor
{
    /// <summary>The actor <c>/user/containerd/verifiers</c>.</summary>
    public static Props Props(IActorRef executor, VerifierSettings settings) =>
        Akka.Actor.Props.Create(() => new VerifiersActor(executor, settings));

    /// <inheritdoc />
    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case VerifierCommands.Verify when settings.Directory.Length == 0: Sender.Tell(Reply.Done()); break;
            case VerifierCommands.Verify verify: Context.ActorOf(VerifyOperation.Props(verify, Sender, executor, settings)); break;
            default: Unhandled(message); break;
        }
    }

    // A bug in an operation is a refusal to whoever waits (its PostStop), never a second run.
    /// <inheritdoc />
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(_ => Directive.Stop);
}
