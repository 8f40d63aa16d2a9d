// SPDX-License-Identifier: Apache-2.0

using Akka.Actor;
using Containerd.Actors.Core.Executor;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Storage.Effects;
using Containerd.Actors.Storage.Mounts;
using Error = Containerd.Actors.Protocol.Errors.Error;

namespace Containerd.Actors.Supervision.Mounts;

/// <summary>One activation: is it allowed, mount, have it recorded, answer, end. What was mounted for a record that is refused is undone.</summary>
internal sealed class ActivateOperation : UntypedActor
{
    private readonly MountCommands.Activate _activate;
    private readonly MountPlan _plan;
    private readonly long _number;
    private readonly IActorRef _replyTo;
    private readonly IActorRef _executor;
    private readonly IActorRef _namespaces;
    private readonly TimeProvider _time;
    private Error? _refusal;

    public ActivateOperation(
        MountCommands.Activate activate, MountPlan plan, long number, IActorRef replyTo, IActorRef executor, IActorRef namespaces, TimeProvider time)
    {
        (_activate, _plan, _number, _replyTo, _executor, _namespaces, _time) = (activate, plan, number, replyTo, executor, namespaces, time);
        namespaces.Tell(new NamespaceQueries.GetState(activate.Namespace));
    }

    public static Props Props(
        MountCommands.Activate activate, MountPlan plan, long number, IActorRef replyTo, IActorRef executor, IActorRef namespaces, TimeProvider time) =>
        Akka.Actor.Props.Create(() => new ActivateOperation(activate, plan, number, replyTo, executor, namespaces, time));

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case Done<NamespaceState> state when state.Result.Refusal(_activate) is { } refusal: End(Reply.Refused<Activation>(refusal)); break;
            case Done<NamespaceState>: _executor.Tell(new Execute(new MountEffects.Activate(_number, _plan))); break;
            case Refused<NamespaceState> refused: End(Reply.Refused<Activation>(refused.Error)); break;
            case Outcome.Done { Value: MountedPlan mounted }: Record(mounted); break;
            case Outcome { Effect: MountEffects.Activate, Refusal: { } error }: Undo(error); break;
            case Done<Activation> done: End(done); break;
            case Refused<Activation> refused: Undo(refused.Error); break;
            // Undone or not: what is left has no record, and goes with the next sweep.
            case Outcome: End(Reply.Refused<Activation>(_refusal!)); break;
            default: Unhandled(message); break;
        }
    }

    private void Record(MountedPlan mounted) => _namespaces.Tell(new ActivationCommands.Add(
        _activate.Namespace,
        new Activation(_activate.Name, _number, mounted.Active, mounted.System, _activate.Labels, _activate.By.Lease, _time.GetUtcNow()),
        _activate.By));

    private void Undo(Error refusal)
    {
        _refusal = refusal;
        _executor.Tell(new Execute(new MountEffects.Deactivate([_number], IsForced: true)));
    }

    private void End(Reply<Activation> reply)
    {
        _replyTo.Tell(reply);
        Context.Stop(Self);
    }
}
