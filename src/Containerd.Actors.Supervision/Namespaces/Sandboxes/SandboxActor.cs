// SPDX-License-Identifier: Apache-2.0

using Akka.Actor;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.GarbageCollection;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Core.Sandboxes;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Sandboxes;
using Containerd.Actors.Supervision.Entities;
using Containerd.Actors.Supervision.Namespaces.Containers;
using Containerd.Actors.Supervision.Namespaces.Sandboxes.Sandboxers;

namespace Containerd.Actors.Supervision.Namespaces.Sandboxes;

/// <summary>Owns one sandbox: its record, and the connection to what runs it.</summary>
/// <remarks>
/// <code>
/// request --decide--> intent --journal--> controller --> fact --journal--> answer
/// </code>
/// <see cref="SandboxState"/> decides. Making, starting, finding and ending what runs happens one after the other; questions and stops
/// go beside. What runs belongs to its shim: losing this actor never ends it, and the next one asks the shim what is true.
/// </remarks>
#pragma warning disable CA1001 // Disposed in PostStop: an actor's life ends there.
internal sealed partial class SandboxActor(SandboxDependencies on, string ns, string id)
    : EntityActor<SandboxState>(EntityIds.Sandbox(ns, id), ns, new SandboxState(ns, id), on.Time), IWithTimers
#pragma warning restore CA1001
{
    private const int CleanUpAttemptsMax = 5;
    private const uint StatusUnknown = 255;

    // Clients, which do not outlive the connection they wait on; hence not persisted.
    private readonly List<IActorRef> _waiters = [];

    // Requests that came while what runs is made, started, found or ended.
    private readonly Queue<(object Message, IActorRef Sender)> _held = new();

    private readonly CancellationTokenSource _stopping = new();
    private ISandbox? _sandbox;
    private bool _isBusy;

    // Answers that wait for the namespace; going before they are given would lose them.
    private int _announcing;

    /// <inheritdoc />
    public ITimerScheduler Timers { get; set; } = null!;

    internal static Props PropsOf(SandboxDependencies on, string ns, string id) => Props.Create(() => new SandboxActor(on, ns, id));

    /// <summary>Answers for a sandbox of which nobody knows anything.</summary>
    internal static void AnswerAbsent(IForSandbox request, string ns, TimeProvider time, IActorRef sender)
    {
        SandboxState nothing = new(ns, request.SandboxId);
        switch (request)
        {
            case SandboxCommands.Update update: sender.Tell(nothing.Decide(update, default).Reply); break;
            case SandboxCommands.Delete delete: sender.Tell(nothing.Decide(delete).Reply); break;
            case SandboxQueries.Get: sender.Tell(Reply.Refused<SandboxRecord>(SandboxState.Missing(request.SandboxId))); break;
            case SandboxControl.Stop: sender.Tell(Reply.Done()); break;
            case SandboxControl.Status: sender.Tell(Reply.Done(new SandboxStatus(request.SandboxId) { ExitedAt = time.GetUtcNow() })); break;
            case IForSandboxer control when nothing.Decide(control).Refusal is { } error: sender.Refuse(request, error); break;
        }
    }

    protected override SandboxState Apply(SandboxState state, DomainEvent e) => state.Apply(e);

    protected override void OnCommand(object message)
    {
        switch (message)
        {
            case SandboxCommands.Create create: Keep(Decided.Decide(create, Time.GetUtcNow()), create.By); break;
            case SandboxCommands.Update update: Keep(Decided.Decide(update, Time.GetUtcNow()), update.By); break;
            case SandboxCommands.Delete delete: Forget(delete); break;
            case SandboxQueries.Get: Answer(); break;
            case SandboxControl.Wait wait: Wait(wait); break;
            case SandboxControl.Stop or SandboxControl.Status when !IsThere((IForSandboxer)message): AnswerAbsent((IForSandbox)message, Namespace, Time, Sender); break;
            case SandboxControl.Status or SandboxControl.Platform or SandboxControl.Metrics when _sandbox is not null: Control((IForSandboxer)message); break;
            case IForSandboxer control when _isBusy: Hold(control); break;
            case IForSandboxer control: Control(control); break;
            case Announced announced: OnAnnounced(announced); break;
            case SandboxSignals.Leave: Go(); break;
            case Reply<Nothing>: break;
            default: OnSignal(message); break;
        }
    }

    private bool IsThere(IForSandboxer request) => Decided.Phase != SandboxPhase.Absent && Decided.Sandboxer == request.Sandboxer;

    private void Answer() => Sender.Tell(
        Stored.Record is { } record ? Reply.Done(record) : Reply.Refused<SandboxRecord>(SandboxState.Missing(id)));

    // The namespace knows what the labels keep before the client may let go of it.
    private void Keep(Decision<SandboxRecord> decision, Caller by)
    {
        IActorRef replyTo = Sender;
        Record(
            decision.Events,
            by,
            () =>
            {
                if (decision.Reply is Done<SandboxRecord> done)
                {
                    Announce(new ContainerRoots.Set(Namespace, ContainerRoot.OfSandbox(id, done.Result.Labels), by), replyTo, decision.Reply);
                }
                else
                {
                    replyTo.Tell(decision.Reply);
                    GoIfIdle();
                }
            },
            error => replyTo.Tell(Reply.Refused<SandboxRecord>(error)));
    }

    private void Forget(SandboxCommands.Delete delete)
    {
        Decision<Nothing> decision = Decided.Decide(delete);
        IActorRef replyTo = Sender;
        Record(
            decision.Events,
            delete.By,
            () =>
            {
                if (decision.Events.IsEmpty)
                {
                    replyTo.Tell(decision.Reply);
                    GoIfIdle();
                }
                else
                {
                    Announce(new ContainerRoots.Remove(Namespace, ContainerRoot.IdOfSandbox(id), delete.By), replyTo, decision.Reply);
                }
            },
            error => replyTo.Tell(Reply.Refused<Nothing>(error)));
    }

    private void Announce<T>(IRequest<Nothing> announcement, IActorRef replyTo, Reply<T> reply)
    {
        IActorRef self = Self;
        _announcing++;
        on.Owner.Ask<Reply<Nothing>>(announcement, on.Settings.RootTimeout).PipeTo(
            self,
            success: answer => new Announced(() => replyTo.Tell(answer is Refused<Nothing> refused
                ? Reply.Refused<T>(refused.Error.While($"sandbox {id} is stored, but not announced"))
                : reply)),
            failure: _ => new Announced(() => replyTo.Tell(Reply.Refused<T>(Error.Unavailable(
                $"sandbox {id} is stored, but its namespace did not note it in time ({SandboxesSettings.Root}.root-timeout)")))));
    }

    private void OnAnnounced(Announced announced)
    {
        announced.Then();
        _announcing--;
        GoIfIdle();
    }

    private void Wait(SandboxControl.Wait wait)
    {
        if (Stored.Decide(wait).Refusal is { } error)
        {
            Sender.Refuse(wait, error);
        }
        else if (Stored.Exit is { } exit)
        {
            Sender.Tell(Reply.Done(exit));
        }
        else if (_waiters.Count >= on.Settings.WaitersMax)
        {
            Sender.Refuse(wait, new Error(
                ErrorKind.ResourceExhausted, $"sandbox {id}: too many wait for its end ({SandboxesSettings.Root}.waiters-max)"));
        }
        else
        {
            _waiters.Add(Sender);
        }
    }

    private void Hold(IForSandboxer request)
    {
        if (_held.Count < on.Settings.WaitingMax)
        {
            _held.Enqueue((request, Sender));
        }
        else
        {
            Sender.Refuse(request, new Error(
                ErrorKind.ResourceExhausted, $"sandbox {id}: too many requests wait for it ({SandboxesSettings.Root}.waiting-max)"));
        }
    }

    protected override void OnStored(DomainEvent e)
    {
        switch (e)
        {
            case SandboxEvents.Created or SandboxEvents.Updated or SandboxEvents.Deleted:
                on.Directory.Tell(new SandboxSignals.RecordChanged(id, Stored.Record));
                break;
            case SandboxEvents.Exited:
                _waiters.ForEach(waiter => waiter.Tell(Reply.Done(Stored.Exit!)));
                _waiters.Clear();
                break;
            case SandboxEvents.RunFailed or SandboxEvents.ShutDown or SandboxEvents.Lost:
                RefuseWaiters(Error.NotFound($"sandbox {id}"));
                break;
        }
    }

    private void RefuseWaiters(Error error)
    {
        _waiters.ForEach(waiter => waiter.Tell(Reply.Refused<SandboxExit>(error)));
        _waiters.Clear();
    }

    protected override void OnRecovered()
    {
        on.Directory.Tell(new SandboxSignals.RecordChanged(id, Stored.Record));
        if (Stored.Record is { } record)
        {
            on.Owner.Tell(new ContainerRoots.Set(
                Namespace, ContainerRoot.OfSandbox(id, record.Labels), Caller.Actor(Self.Path.ToStringWithoutAddress())));
        }

        on.Directory.Tell(new SandboxSignals.Recovered(id));
        AskWhatIsTrue();
    }

    private bool IsIdle => Decided.IsGone && _announcing == 0 && !_isBusy && _held.Count == 0;

    private void GoIfIdle()
    {
        if (IsIdle)
        {
            Context.Parent.Tell(new SandboxSignals.Idle(id));
        }
    }

    private void Go()
    {
        if (IsIdle)
        {
            Context.Stop(Self);
        }
        else
        {
            Context.Parent.Tell(new SandboxSignals.Stays(id));
        }
    }

    protected override void PostStop()
    {
        Error error = Error.Unavailable($"sandbox {id}: its actor stopped; ask again");
        RefuseWaiters(error);
        RefuseHeld(error);
        _stopping.Cancel();
        _stopping.Dispose();
        Disconnect();
        base.PostStop();
    }

    private sealed record Announced(Action Then);
}
