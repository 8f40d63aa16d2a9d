// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Akka.Actor;
using Akka.Persistence;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;

namespace Containerd.Actors.Supervision.Entities;

/// <summary>An entity whose state is the fold of its events in the journal.</summary>
/// <remarks>
/// Writes are pipelined so that the journal can store many of one entity in one commit:
/// <code>
/// request --decide against Decided--> events --journal--> Stored --> reply
/// </code>
/// <see cref="Decided"/> includes events that are still on their way to the disk and is what decisions are made against;
/// <see cref="Stored"/> is what readers see. A reply never leaves before its events are stored. When storing fails every request
/// still waiting is refused, the actor stops, and its supervisor starts it anew from the journal.
/// </remarks>
/// <typeparam name="TState">An immutable state.</typeparam>
public abstract class EntityActor<TState>(string persistenceId, string ns, TState initial, TimeProvider time) : UntypedPersistentActor
    where TState : class
{
    // Requests whose events are on their way, oldest first; each knows how to refuse itself.
    private readonly Queue<Action<Error>> _waiting = new();

    /// <inheritdoc />
    public override string PersistenceId { get; } = persistenceId;

    /// <summary>State with every decided event applied, stored or not.</summary>
    protected TState Decided { get; private set; } = initial;

    /// <summary>State with every stored event applied.</summary>
    protected TState Stored { get; private set; } = initial;

    /// <summary>Namespace of the entity; empty for the node.</summary>
    protected string Namespace { get; } = ns;

    /// <summary>The clock that stamps records.</summary>
    protected TimeProvider Time { get; } = time;

    /// <summary>The state after one more event. Total, deterministic, without effects.</summary>
    protected abstract TState Apply(TState state, DomainEvent e);

    /// <summary>Called once when all events of the journal are applied; the place to ask the world what is true.</summary>
    protected virtual void OnRecovered()
    {
    }

    /// <summary>Called after an event was stored, before the reply that waits for it.</summary>
    protected virtual void OnStored(DomainEvent e)
    {
    }

    /// <summary>Takes over a state saved earlier; events after it follow. False: unknown, recovery goes on from events alone.</summary>
    protected virtual TState? FromSavepoint(object savepoint) => savepoint as TState;

    /// <summary>Stores what was decided and answers the sender after that.</summary>
    protected void Settle<T>(Decision<T> decision, Caller by)
    {
        IActorRef replyTo = Sender;
        Record(decision.Events, by, () => replyTo.Tell(decision.Reply), error => replyTo.Tell(Reply.Refused<T>(error)));
    }

    /// <summary>Stores events nobody waits for.</summary>
    protected void Record(Caller by, params ImmutableArray<DomainEvent> events) => Record(events, by, static () => { }, static _ => { });

    /// <summary>Stores events together, then calls <paramref name="stored"/>; <paramref name="refused"/> if that fails.</summary>
    /// <remarks>Without events the call waits for all earlier ones, so that no answer tells of a state that may still be lost.</remarks>
    protected void Record(ImmutableArray<DomainEvent> events, Caller by, Action stored, Action<Error> refused)
    {
        foreach (DomainEvent e in events)
        {
            Decided = Apply(Decided, e);
        }

        _waiting.Enqueue(refused);
        if (!events.IsEmpty)
        {
            DateTimeOffset at = Time.GetUtcNow();
            PersistAllAsync(events.Select(e => new Recorded(Namespace, e, by, at)), recorded =>
            {
                Stored = Apply(Stored, recorded.Event);
                OnStored(recorded.Event);
            });
        }

        DeferAsync(stored, done =>
        {
            _waiting.Dequeue();
            done();
        });
    }

    /// <inheritdoc />
    protected override void OnRecover(object message)
    {
        switch (message)
        {
            case Recorded recorded:
                Decided = Stored = Apply(Stored, recorded.Event);
                break;
            case SnapshotOffer offer when FromSavepoint(offer.Snapshot) is { } state:
                Decided = Stored = state;
                break;
            case RecoveryCompleted:
                OnRecovered();
                break;
        }
    }

    /// <inheritdoc />
    protected override void OnPersistFailure(Exception cause, object @event, long sequenceNr)
    {
        RefuseWaiting(Error.Unavailable($"{PersistenceId}: journal: {cause.Message}"));
        base.OnPersistFailure(cause, @event, sequenceNr);
    }

    /// <inheritdoc />
    protected override void OnPersistRejected(Exception cause, object @event, long sequenceNr)
    {
        // A rejected event is not stored although it was decided: the two states no longer agree, only the journal can say.
        RefuseWaiting(new Error(ErrorKind.Internal, $"{PersistenceId}: journal: {cause.Message}"));
        Context.Stop(Self);
    }

    private void RefuseWaiting(Error error)
    {
        while (_waiting.TryDequeue(out Action<Error>? refuse))
        {
            refuse(error);
        }
    }
}
