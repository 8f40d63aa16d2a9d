// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Akka.Actor;
using Containerd.Actors.Core.GarbageCollection;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Protocol.Messages;

namespace Containerd.Actors.Supervision.Snapshots;

/// <summary>One cleanup of one snapshotter: ask every namespace what it knows, sweep the rest, answer, end.</summary>
internal sealed class CleanupOperation : UntypedActor
{
    private readonly string _snapshotter;
    private readonly ImmutableHashSet<long> _unsettled;
    private readonly long _bound;
    private readonly IActorRef _replyTo;
    private readonly IActorRef _executor;

    public CleanupOperation(
        string snapshotter, ImmutableHashSet<long> unsettled, long bound, IActorRef replyTo, IActorRef executor, IActorRef namespaces)
    {
        (_snapshotter, _unsettled, _bound, _replyTo, _executor) = (snapshotter, unsettled, bound, replyTo, executor);
        namespaces.Tell(new NamespaceQueries.List());
    }

    public static Props Props(
        string snapshotter, ImmutableHashSet<long> unsettled, long bound, IActorRef replyTo, IActorRef executor, IActorRef namespaces) =>
        Akka.Actor.Props.Create(() => new CleanupOperation(snapshotter, unsettled, bound, replyTo, executor, namespaces));

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case Done<ImmutableArray<NamespaceState>> states:
                IEnumerable<long> known = states.Result
                    .SelectMany(state => state.Snapshots.Values)
                    .Where(record => record.Snapshotter == _snapshotter)
                    .Select(record => record.Backend);
                Context.ActorOf(SweepOperation.Props(_snapshotter, _unsettled.Union(known), _bound, isDry: false, Self, _executor));
                break;
            case Done<Swept>:
                End(Reply.Done());
                break;
            case Refused<Swept> refused:
                End(Reply.Refused<Nothing>(refused.Error));
                break;
            case Refused<ImmutableArray<NamespaceState>> refused:
                End(Reply.Refused<Nothing>(refused.Error));
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    private void End(Reply<Nothing> reply)
    {
        _replyTo.Tell(reply);
        Context.Stop(Self);
    }
}
