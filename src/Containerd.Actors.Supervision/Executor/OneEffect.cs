// SPDX-License-Identifier: Apache-2.0

using Akka.Actor;
using Containerd.Actors.Core.Executor;

namespace Containerd.Actors.Supervision.Executor;

/// <summary>Waits for the outcome of one effect, hands it on, and ends: for owners that must not wait themselves.</summary>
/// <remarks>The continuation runs in this actor, so it may only tell others; the executor answers every effect, so this always ends.</remarks>
internal sealed class OneEffect : UntypedActor
{
    private readonly Action<Outcome> _then;

    public OneEffect(IActorRef executor, Effect effect, TimeSpan deadline, Action<Outcome> then)
    {
        _then = then;
        executor.Tell(new Execute(effect, deadline));
    }

    public static Props Props(IActorRef executor, Effect effect, Action<Outcome> then, TimeSpan deadline = default) =>
        Akka.Actor.Props.Create(() => new OneEffect(executor, effect, deadline, then));

    protected override void OnReceive(object message)
    {
        if (message is Outcome outcome)
        {
            _then(outcome);
            Context.Stop(Self);
        }
        else
        {
            Unhandled(message);
        }
    }
}
