// SPDX-License-Identifier: Apache-2.0

using Akka.Actor;
using Akka.Persistence;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.Node;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Events;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Values;

namespace Containerd.Actors.Supervision.Events;

/// <summary>Owns the live subscribers, and the events that clients publish themselves.</summary>
/// <remarks>
/// <code>
/// journal --stored records, in global order--> projection --> every subscriber
/// client --Publish--> journal (and back, as above)
/// shim --Forward--> the task it speaks of; anything else is published
/// </code>
/// Losing this actor loses subscriptions, never events: the journal has them, and subscribers are told by their watch.
/// </remarks>
public sealed class EventExchange(Func<EventCommands.Forward, object?> toTask, IActorRef namespaces, TimeProvider time) : UntypedPersistentActor
{
    private readonly EventProjection _projection = new();
    private readonly HashSet<IActorRef> _subscribers = [];
    private readonly Queue<IActorRef> _waiting = new();

    /// <summary>Records that were stored, in the order of their cursors.</summary>
    public sealed record Stored(IReadOnlyList<JournalRecord> Records);

    /// <summary>How to create it.</summary>
    /// <param name="toTask">The signal that a forwarded event is for a task; null when it is about nothing the tree owns.</param>
    /// <param name="namespaces">Takes those signals to their tasks.</param>
    /// <param name="time">The clock that stamps records.</param>
    public static Props Props(Func<EventCommands.Forward, object?> toTask, IActorRef namespaces, TimeProvider time) =>
        Akka.Actor.Props.Create(() => new EventExchange(toTask, namespaces, time));

    /// <inheritdoc />
    public override string PersistenceId => EntityIds.Publications;

    /// <summary>There is no state to rebuild: subscribers do not outlive their connections.</summary>
    public override Recovery Recovery => Recovery.None;

    /// <inheritdoc />
    protected override void OnCommand(object message)
    {
        switch (message)
        {
            case Stored stored: Deliver(stored.Records); break;
            case EventCommands.Subscribe: Subscribe(Sender); break;
            case Terminated gone: _subscribers.Remove(gone.ActorRef); break;
            case EventCommands.Publish publish: Publish(publish.Namespace, publish.Topic, publish.Payload, time.GetUtcNow(), publish.By); break;
            case EventCommands.Forward forward: Forward(forward); break;
            default: Unhandled(message); break;
        }
    }

    /// <inheritdoc />
    protected override void OnRecover(object message)
    {
    }

    /// <inheritdoc />
    protected override void OnPersistFailure(Exception cause, object @event, long sequenceNr)
    {
        while (_waiting.TryDequeue(out IActorRef? publisher))
        {
            publisher.Tell(Reply.Refused<Nothing>(Error.Unavailable($"event: journal: {cause.Message}")));
        }

        base.OnPersistFailure(cause, @event, sequenceNr);
    }

    private void Deliver(IReadOnlyList<JournalRecord> records)
    {
        foreach (JournalRecord record in records)
        {
            if (_projection.Project(record) is { } publication)
            {
                foreach (IActorRef subscriber in _subscribers)
                {
                    subscriber.Tell(publication);
                }
            }
        }
    }

    private void Subscribe(IActorRef subscriber)
    {
        _subscribers.Add(subscriber);
        Context.Watch(subscriber);
        subscriber.Tell(Reply.Done());
    }

    private void Forward(EventCommands.Forward forward)
    {
        if (toTask(forward) is { } signal)
        {
            namespaces.Tell(signal);
            Sender.Tell(Reply.Done());
        }
        else
        {
            Publish(forward.Namespace, forward.Topic, forward.Payload, forward.At, forward.By);
        }
    }

    private void Publish(string ns, string topic, AnyValue payload, DateTimeOffset at, Caller by)
    {
        IActorRef publisher = Sender;
        _waiting.Enqueue(publisher);
        PersistAsync(new Recorded(ns, new NodeEvents.Published(topic, payload), by, at), _ =>
        {
            _waiting.Dequeue();
            publisher.Tell(Reply.Done());
        });
    }
}
