// SPDX-License-Identifier: Apache-2.0

using Akka.Actor;
using Akka.Persistence;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.Node;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Messages;

namespace Containerd.Actors.Supervision.Node;

/// <summary>Records when a daemon took over the root directory and when it gave it back in good order.</summary>
/// <remarks>A start that follows a start says that the daemon before it was killed.</remarks>
public sealed class NodeActor(string version, TimeProvider time) : UntypedPersistentActor
{
    /// <summary>The daemon is about to stop in good order; answered when that is stored.</summary>
    public sealed record Stop : IRequest<Nothing>;

    /// <summary>The actor <c>/user/containerd/node</c>.</summary>
    public static Props Props(string version, TimeProvider time) => Akka.Actor.Props.Create(() => new NodeActor(version, time));

    /// <inheritdoc />
    public override string PersistenceId => EntityIds.Node;

    /// <summary>The past is for auditors; nothing here depends on it.</summary>
    public override Recovery Recovery => Recovery.None;

    /// <inheritdoc />
    protected override void OnCommand(object message)
    {
        if (message is Stop)
        {
            IActorRef replyTo = Sender;
            Persist(Record(new NodeEvents.DaemonStopped(Environment.ProcessId)), _ => replyTo.Tell(Reply.Done()));
        }
        else
        {
            Unhandled(message);
        }
    }

    /// <inheritdoc />
    protected override void OnRecover(object message)
    {
        if (message is RecoveryCompleted)
        {
            Persist(Record(new NodeEvents.DaemonStarted(version, Environment.ProcessId)), static _ => { });
        }
    }

    private Recorded Record(DomainEvent e) => new("", e, Caller.Actor(Self.Path.ToStringWithoutAddress()), time.GetUtcNow());
}
