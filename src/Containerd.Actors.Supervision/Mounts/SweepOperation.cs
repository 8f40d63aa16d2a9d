// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Akka.Actor;
using Containerd.Actors.Core.Executor;
using Containerd.Actors.Core.GarbageCollection;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Storage.Effects;
using Containerd.Actors.Storage.Mounts;

namespace Containerd.Actors.Supervision.Mounts;

/// <summary>One sweep of mounts: look what there is, undo what nobody keeps, answer, end.</summary>
internal sealed class SweepOperation : UntypedActor
{
    private readonly ImmutableHashSet<long> _keep;
    private readonly long _bound;
    private readonly bool _isDry;
    private readonly IActorRef _replyTo;
    private readonly IActorRef _executor;
    private int _condemned;

    public SweepOperation(ImmutableHashSet<long> keep, long bound, bool isDry, IActorRef replyTo, IActorRef executor)
    {
        (_keep, _bound, _isDry, _replyTo, _executor) = (keep, bound, isDry, replyTo, executor);
        executor.Tell(new Execute(new MountEffects.List()));
    }

    public static Props Props(ImmutableHashSet<long> keep, long bound, bool isDry, IActorRef replyTo, IActorRef executor) =>
        Akka.Actor.Props.Create(() => new SweepOperation(keep, bound, isDry, replyTo, executor));

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case Outcome.Done { Value: IReadOnlyList<FoundActivation> found }:
                Undo([.. found.Select(each => each.Number).Where(number => number <= _bound && !_keep.Contains(number))]);
                break;
            case Outcome.Done:
                End(Reply.Done(new Swept(_condemned, 0)));
                break;
            case Outcome { Refusal: { } error }:
                End(Reply.Refused<Swept>(error));
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    // Nothing keeps it: what is in use all the same is taken from sight, and freed with its last user.
    private void Undo(ImmutableArray<long> condemned)
    {
        _condemned = condemned.Length;
        if (condemned.IsEmpty || _isDry)
        {
            End(Reply.Done(new Swept(_condemned, 0)));
        }
        else
        {
            _executor.Tell(new Execute(new MountEffects.Deactivate(condemned, IsForced: true)));
        }
    }

    private void End(Reply<Swept> reply)
    {
        _replyTo.Tell(reply);
        Context.Stop(Self);
    }
}
