// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Akka.Actor;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.Tasks;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Tasks;
using Containerd.Actors.Supervision.Entities;
using Containerd.Actors.Supervision.Namespaces.Containers.Tasks.Execs;
using Containerd.Actors.Supervision.Namespaces.Containers.Tasks.Shims;
using Containerd.Actors.Supervision.Tracing;

namespace Containerd.Actors.Supervision.Namespaces.Containers.Tasks;

/// <summary>Owns one task: the running side of one container.</summary>
/// <remarks>
/// <code>
/// request --decide--> intent --journal--> shim --observe--> fact --journal--> answer
/// </code>
/// <see cref="TaskState"/> decides what is legal when; this file only puts journal, shim and answers in order. Several requests may be
/// with the shim at once; each answer finds its client by number. The processes belong to the shim: losing this actor never ends them,
/// and the next one asks the shim what is true.
/// </remarks>
internal sealed class TaskActor(TaskDependencies on, string ns, string id)
    : EntityActor<TaskState>(EntityIds.Task(ns, id), ns, new TaskState(id), on.Time)
{
    // Requests that are with the shim. Their clients do not outlive the daemon; hence not persisted.
    private readonly Dictionary<long, Pending> _pending = [];

    // Clients waiting for the end of the first process.
    private readonly List<IActorRef> _waiters = [];

    private readonly Dictionary<string, IActorRef> _execs = new(StringComparer.Ordinal);
    private ImmutableDictionary<string, Principal> _killers = ImmutableDictionary<string, Principal>.Empty;
    // Requests that came while the shim is asked what is true: nothing is decided against what may no longer be so.
    private readonly List<(object Message, IActorRef Sender)> _held = [];
    private bool _isAsking;
    private IActorRef _shim = ActorRefs.Nobody;
    private long _number;
    private long _generation;

    internal static Props PropsOf(TaskDependencies on, string ns, string id) => Props.Create(() => new TaskActor(on, ns, id));

    protected override TaskState Apply(TaskState state, DomainEvent e) => state.Apply(e);

    protected override void PreStart()
    {
        _shim = Context.ActorOf(ShimActor.PropsOf(on.Shims, on.Settings, on.Time, Namespace, id), "shim");
        base.PreStart();
    }

    protected override void OnCommand(object message)
    {
        switch (message)
        {
            case TaskQueries.Get get: Answer(get); break;
            case TaskQueries.Wait wait: Wait(wait); break;
            case TaskQueries.Pids or TaskQueries.Stats: Ask(message); break;
            case TaskCreation when _isAsking: Hold(message); break;
            case IForContainer when _isAsking && (message is TaskCommands.Kill || CallerOf(message) is not null): Hold(message); break;
            case TaskCreation creation: Decide(creation, creation.Command.By, Decided.Decide(creation)); break;
            case TaskCommands.Kill kill: Kill(kill); break;
            case IForContainer and not TaskSignals.Forwarded when CallerOf(message) is { } by:
                Decide(message, by, Decided.Decide((IForContainer)message));
                break;
            case TaskSignals.Forwarded: _shim.Forward(message); break;
            case ShimAnswer { Signal: ShimSignals.Lost lost }: Lose(lost); break;
            case ShimAnswer answer: Observe(answer.Signal, TakePending(answer.Number)); break;
            case ShimRestarted: Reconnect(); break;
            case ShimUnreachable unreachable: RefuseHeld(unreachable.Error); break;
            case ShimSignals.Lost lost: Lose(lost); break;
            case ShimSignal signal: Observe(signal, null); break;
            default: Unhandled(message); break;
        }
    }

    private void Answer(TaskQueries.Get get) => Sender.Tell(
        Stored.Find(get.ExecId, out Error? error) is { } process ? Reply.Done(process) : Reply.Refused<ProcessRecord>(error!));

    private void Wait(TaskQueries.Wait wait)
    {
        if (Stored.Find(wait.ExecId, out Error? error) is not { } process)
        {
            Sender.Tell(Reply.Refused<ProcessExit>(error!));
        }
        else if (process.Exit is { } exit)
        {
            Sender.Tell(Reply.Done(exit));
        }
        else if (wait.ExecId.Length > 0)
        {
            _execs[wait.ExecId].Forward(wait);
        }
        else if (_waiters.Count >= on.Settings.WaitersMax)
        {
            Sender.Tell(Reply.Refused<ProcessExit>(ExecActor.TooMany($"task {id}")));
        }
        else
        {
            _waiters.Add(Sender);
        }
    }

    // Questions only the shim can answer; it answers the client itself, within its own budget.
    private void Ask(object query)
    {
        if (Stored.IsVisible)
        {
            _shim.Forward(query);
        }
        else
        {
            Sender.Refuse(query, TaskState.Missing(id));
        }
    }

    private void Kill(TaskCommands.Kill kill)
    {
        TaskStep step = Decided.Decide(kill);
        if (!step.Events.IsEmpty)
        {
            _killers = _killers.SetItem(kill.ExecId, kill.By.Principal);
        }

        Decide(kill, kill.By, step);
    }

    private void Decide(object request, Caller by, TaskStep step) => Settle(step, by, new Pending(request, Sender, by) { Span = SpanOf(request, by) });

    private Span? SpanOf(object request, Caller by) => request switch
    {
        TaskCreation => Spans.Start("task create", by.Trace, "container.id", id),
        TaskCommands.Start => Spans.Start("task start", by.Trace, "container.id", id),
        TaskCommands.Delete => Spans.Start("task delete", by.Trace, "container.id", id),
        _ => null,
    };

    private void Observe(ShimSignal signal, Pending? pending)
    {
        Settle(Decided.Observe(signal, _killers), pending?.By ?? Caller.Kernel, pending);
        if (signal is ShimSignals.Report or ShimSignals.Undone)
        {
            ReleaseHeld();
        }
    }

    // The order is the contract: journal, memory, world, caller. A crash between any two is safe, because recovery asks the shim
    // what is true. A shim that answers a request is answered with a further request only while recovering; nobody waits for that one.
    private void Settle(TaskStep step, Caller by, Pending? pending) => Record(
        step.Events,
        by,
        () =>
        {
            if (step.Request is { } request)
            {
                CallShim(request, step.Answer is null ? pending : null);
            }

            if (step.Answer is { } answer)
            {
                pending?.Answer(answer);
            }
        },
        error => pending?.Answer(new TaskAnswer.Refusal(error)));

    private void CallShim(ShimRequest request, Pending? pending)
    {
        _number++;
        if (pending is not null)
        {
            _pending.Add(_number, pending with { Shim = request });
        }

        _shim.Tell(new ShimCall(_number, request));
    }

    // Everything that was with the shim is answered by its loss, once that is stored.
    private void Lose(ShimSignals.Lost lost)
    {
        ImmutableArray<(Pending Pending, TaskAnswer Answer)> answers =
            [.. _pending.Values.Select(pending => (pending, Decided.AnswerAfterLoss(pending.Shim!, lost)))];
        _pending.Clear();
        Record(
            Decided.Observe(lost, _killers).Events,
            Caller.Kernel,
            () => answers.ToList().ForEach(each => each.Pending.Answer(each.Answer)),
            error => answers.ToList().ForEach(each => each.Pending.Answer(new TaskAnswer.Refusal(error))));
        ReleaseHeld();
    }

    private void Hold(object message)
    {
        if (_held.Count < on.Settings.WaitingMax)
        {
            _held.Add((message, Sender));
        }
        else
        {
            Sender.Refuse(RequestOf(message), new Error(
                ErrorKind.ResourceExhausted, $"task {id}: too many requests wait for its shim ({ContainersSettings.Root}.waiting-max)"));
        }
    }

    private void ReleaseHeld()
    {
        _isAsking = false;
        _held.ForEach(held => Self.Tell(held.Message, held.Sender));
        _held.Clear();
    }

    private void RefuseHeld(Error error)
    {
        _held.ForEach(held => held.Sender.Refuse(RequestOf(held.Message), error));
        _held.Clear();
    }

    private static object RequestOf(object message) => message is TaskCreation creation ? creation.Command : message;

    // Whatever was with the shim may or may not have been done; the new connection's report tells.
    private void Reconnect()
    {
        foreach (Pending pending in _pending.Values)
        {
            pending.Answer(new TaskAnswer.Refusal(Error.Unavailable($"task {id}: the connection to its shim was made anew; ask again")));
        }

        _pending.Clear();
        AskWhatIsTrue();
    }

    private void AskWhatIsTrue()
    {
        if (Decided.AfterRecovery() is { } request)
        {
            _isAsking = true;
            CallShim(request, null);
        }
        else
        {
            ReleaseHeld();
        }
    }

    private Pending? TakePending(long number) => _pending.Remove(number, out Pending? pending) ? pending : null;

    protected override void OnStored(DomainEvent e)
    {
        switch (e)
        {
            case TaskEvents.ExecAdded added: StartExec(added.ExecId); break;
            case TaskEvents.Exited { ExecId: "" }: Release(Stored.Exit!); break;
            case TaskEvents.Exited exited: TellExec(exited.ExecId); break;
            case TaskEvents.StartFailed { ExecId.Length: > 0 } failed: TellExec(failed.ExecId); break;
            case TaskEvents.ExecDeleted deleted: StopExec(deleted.ExecId); break;
            case TaskEvents.Deleted deleted: End(new ProcessExit(deleted.Pid, deleted.Status, deleted.ExitedAt)); break;
            case TaskEvents.CreateFailed: End(new ProcessExit(0, 255, null)); break;
        }

        Announce();
    }

    private void StartExec(string execId)
    {
        // The actor of a forgotten process may still be stopping; its name is free only after that.
        string name = ExecActor.NameOf(execId);
        bool taken = !Context.Child(name).IsNobody();
        _execs[execId] = Context.ActorOf(
            ExecActor.PropsOf(execId, on.Settings.WaitersMax), taken ? $"{name}:{++_generation}" : name);
    }

    private void StopExec(string execId)
    {
        if (_execs.Remove(execId, out IActorRef? exec))
        {
            // A pill waits its turn: an exit told before it still reaches those who wait for it.
            exec.Tell(PoisonPill.Instance);
        }
    }

    private void TellExec(string execId)
    {
        if (Stored.Execs.TryGetValue(execId, out ExecState? exec) && exec.Exit is { } exit)
        {
            _execs[execId].Tell(new ExecActor.Ended(exit));
        }
    }

    private void End(ProcessExit exit)
    {
        Release(exit);
        _killers = _killers.Clear();
        foreach (string execId in _execs.Keys.ToList())
        {
            StopExec(execId);
        }
    }

    private void Release(ProcessExit exit)
    {
        _waiters.ForEach(waiter => waiter.Tell(Reply.Done(exit)));
        _waiters.Clear();
    }

    // The directory hears of a change before any client does, so that a list never lags behind an answer.
    private void Announce()
    {
        ContainerSignals.TaskChanged changed = new(id, Stored.Init, Stored.Phase == TaskPhase.Absent);
        on.Directory.Tell(changed);
        Context.Parent.Tell(changed);
    }

    protected override void OnRecover(object message)
    {
        if (message is Recorded { Event: TaskEvents.KillRequested kill } recorded)
        {
            _killers = _killers.SetItem(kill.ExecId, recorded.By.Principal);
        }

        base.OnRecover(message);
    }

    protected override void OnRecovered()
    {
        foreach (string execId in Stored.Execs.Keys)
        {
            StartExec(execId);
        }

        Announce();
        AskWhatIsTrue();
    }

    protected override void PostStop()
    {
        Error error = Error.Unavailable($"task {id}: its actor stopped; ask again");
        foreach (Pending pending in _pending.Values)
        {
            pending.Answer(new TaskAnswer.Refusal(error));
        }

        _waiters.ForEach(waiter => waiter.Tell(Reply.Refused<ProcessExit>(error)));
        RefuseHeld(error);
        base.PostStop();
    }

    // See the rows task, shim and exec of the failure table: a child that fails starts anew; what it knew is in the state or the shim.
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(_ => Directive.Restart);

    private static Caller? CallerOf(object message) => message switch
    {
        TaskCommands.Start start => start.By,
        TaskCommands.Delete delete => delete.By,
        TaskCommands.DeleteProcess delete => delete.By,
        TaskCommands.Exec exec => exec.By,
        TaskCommands.Pause pause => pause.By,
        TaskCommands.Resume resume => resume.By,
        TaskCommands.Update update => update.By,
        TaskCommands.ResizePty resize => resize.By,
        TaskCommands.CloseIO close => close.By,
        TaskCommands.Checkpoint checkpoint => checkpoint.By,
        _ => null,
    };

    /// <summary>A client's request that is under way.</summary>
    private sealed record Pending(object Request, IActorRef ReplyTo, Caller By, ShimRequest? Shim = null)
    {
        /// <summary>Ends with the answer; null when nobody listens.</summary>
        internal Span? Span { get; init; }

        internal void Answer(TaskAnswer answer)
        {
            if (answer is TaskAnswer.Refusal refusal)
            {
                Span?.Fail(refusal.Error.Text);
            }

            Span?.Dispose();
            ReplyTo.Tell(ReplyOf(answer));
        }

        private object ReplyOf(TaskAnswer answer) => Request switch
        {
            IRequest<uint> or TaskCreation => answer switch
            {
                TaskAnswer.Pid pid => Reply.Done(pid.Value),
                TaskAnswer.Refusal refusal => Reply.Refused<uint>(refusal.Error),
                _ => throw new InvalidOperationException("the answer holds no process id"),
            },
            IRequest<ProcessExit> => answer switch
            {
                TaskAnswer.Exit exit => Reply.Done(exit.Value),
                TaskAnswer.Refusal refusal => (object)Reply.Refused<ProcessExit>(refusal.Error),
                _ => throw new InvalidOperationException("the answer holds no exit"),
            },
            _ => answer is TaskAnswer.Refusal refused ? Reply.Refused<Nothing>(refused.Error) : Reply.Done(),
        };
    }
}

/// <summary>What tasks need.</summary>
/// <param name="Shims">Shims and bundles.</param>
/// <param name="Settings">Deadlines and bounds.</param>
/// <param name="Time">The clock.</param>
/// <param name="Directory">Hears of every change, before clients do.</param>
internal sealed record TaskDependencies(IShims Shims, ContainersSettings Settings, TimeProvider Time, IActorRef Directory);
