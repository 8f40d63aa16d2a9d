// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Akka.Actor;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.Transfers;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Transfers;
using Containerd.Actors.Supervision.Entities;
using Containerd.Actors.Supervision.Namespaces.Pulls;

namespace Containerd.Actors.Supervision.Namespaces.Transfers;

/// <summary>Owns one push, import or export: that it was asked for is recorded before it begins, how it ended before that is told.</summary>
/// <remarks>
/// <code>
/// requested --work--> completed
///     |
///     +--refused, asker gone, daemon killed--> failed
/// </code>
/// The bytes never pass through a mailbox of this actor. An asker that is gone has given up: its archive ends with its connection, and a
/// push without a reader of its outcome is nobody's.
/// </remarks>
[SuppressMessage("Design", "CA1001", Justification = "An actor ends in PostStop, where it is disposed.")]
internal sealed class TransferActor : EntityActor<TransferState>
{
    private readonly Func<TransferCommands.Transfer, IActorRef, ITransferWork> _work;
    private readonly CancellationTokenSource _cancellation = new();
    private IActorRef _asker = ActorRefs.Nobody;
    private TransferCommands.Transfer? _transfer;

    public TransferActor(string operation, string ns, Func<TransferCommands.Transfer, IActorRef, ITransferWork> work, TimeProvider time)
        : base(EntityIds.Transfer(ns, operation), ns, TransferState.Empty, time) => _work = work;

    private sealed record Finished(ImmutableArray<string> Images);

    private sealed record Broke(Error Error);

    public static Props Props(string operation, string ns, Func<TransferCommands.Transfer, IActorRef, ITransferWork> work, TimeProvider time) =>
        Akka.Actor.Props.Create(() => new TransferActor(operation, ns, work, time));

    protected override TransferState Apply(TransferState state, DomainEvent e) => state.Apply(e);

    protected override void OnRecovered()
    {
        if (Stored.Kind.Length > 0)
        {
            Record(
                [new TransferEvents.Failed(Error.Unavailable($"{Stored.Kind}: the daemon ended meanwhile"))],
                Caller.Actor(Self.Path.ToStringWithoutAddress()),
                () => Context.Stop(Self),
                _ => { });
        }
    }

    protected override void OnCommand(object message)
    {
        switch (message)
        {
            case TransferCommands.Transfer transfer when _transfer is null: Begin(transfer); break;
            case Terminated: _cancellation.Cancel(); break;
            case Finished finished: Conclude(new TransferEvents.Completed(finished.Images), Reply.Done()); break;
            case Broke broke: Conclude(new TransferEvents.Failed(broke.Error), Reply.Refused<Nothing>(broke.Error)); break;
            default: Unhandled(message); break;
        }
    }

    protected override void PostStop()
    {
        _cancellation.Cancel();
        _cancellation.Dispose();
    }

    private void Begin(TransferCommands.Transfer transfer)
    {
        _transfer = transfer;
        _asker = Context.Watch(Sender);
        Record([Requested(transfer)], transfer.By, Start, Tell);

        void Tell(Error error) => _asker.Tell(Reply.Refused<Nothing>(error));
    }

    private void Start() => RunAsync(_work(_transfer!, _asker), _cancellation.Token)
        .PipeTo(Self, success: images => new Finished(images), failure: cause => new Broke(ErrorOf(cause)));

    // On a thread of the pool from the first step on: what a work does before it first waits must not hold up the mailbox.
    private static async Task<ImmutableArray<string>> RunAsync(ITransferWork work, CancellationToken cancellationToken)
    {
        await Task.Yield();
        return await work.RunAsync(cancellationToken).ConfigureAwait(false);
    }

    private Error ErrorOf(Exception cause) => cause is OperationCanceledException
        ? new Error(ErrorKind.Canceled, $"{Requested(_transfer!).Kind} was given up")
        : PullActor.ErrorOf(cause);

    private static TransferEvents.Requested Requested(TransferCommands.Transfer transfer) => transfer switch
    {
        TransferCommands.Push push => new("push", [push.Image], push.Reference),
        TransferCommands.Import import => new("import", import.Images.Name.Length > 0 ? [import.Images.Name] : [], ""),
        TransferCommands.Export export => new("export", export.Images, ""),
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private void Conclude(DomainEvent end, Reply<Nothing> reply) => Record(
        [end],
        _transfer!.By,
        () =>
        {
            _asker.Tell(reply);
            Context.Stop(Self);
        },
        error => _asker.Tell(Reply.Refused<Nothing>(error)));
}
