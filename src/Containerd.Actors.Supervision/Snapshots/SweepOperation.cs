// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Akka.Actor;
using Containerd.Actors.Core.Executor;
using Containerd.Actors.Core.GarbageCollection;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Storage.Effects;

namespace Containerd.Actors.Supervision.Snapshots;

/// <summary>One sweep of one snapshotter: list the directories, remove those nobody keeps, answer, end.</summary>
internal sealed class SweepOperation : UntypedActor
{
    private readonly string _snapshotter;
    private readonly ImmutableHashSet<long> _keep;
    private readonly long _bound;
    private readonly bool _isDry;
    private readonly IActorRef _replyTo;
    private readonly IActorRef _executor;
    private int _condemned;

    public SweepOperation(string snapshotter, ImmutableHashSet<long> keep, long bound, bool isDry, IActorRef replyTo, IActorRef executor)
    {
        (_snapshotter, _keep, _bound, _isDry, _replyTo, _executor) = (snapshotter, keep, bound, isDry, replyTo, executor);
        executor.Tell(new Execute(new SnapshotEffects.List(snapshotter)));
    }

    public static Props Props(
        string snapshotter, ImmutableHashSet<long> keep, long bound, bool isDry, IActorRef replyTo, IActorRef executor) =>
        Akka.Actor.Props.Create(() => new SweepOperation(snapshotter, keep, bound, isDry, replyTo, executor));

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case Outcome.Done { Effect: SnapshotEffects.List, Value: IReadOnlyList<long> numbers }:
                Remove([.. numbers.Where(number => number <= _bound && !_keep.Contains(number))]);
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

    private void Remove(ImmutableArray<long> condemned)
    {
        _condemned = condemned.Length;
        if (condemned.IsEmpty || _isDry)
        {
            End(Reply.Done(new Swept(_condemned, 0)));
        }
        else
        {
            _executor.Tell(new Execute(new SnapshotEffects.Remove(_snapshotter, condemned)));
        }
    }

    private void End(Reply<Swept> reply)
    {
        _replyTo.Tell(reply);
        Context.Stop(Self);
    }
}
