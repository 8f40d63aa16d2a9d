// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Tasks;

namespace Containerd.Actors.Core.Tasks;

public sealed partial record TaskState
{
    private const uint StatusUnknown = 255;
    private const uint SignalBias = 128;
    private const uint SignalKill = 9;

    /// <summary>What follows from something seen of the shim.</summary>
    /// <remarks>
    /// Total: every signal is legal in every phase, because shims speak when they like. An exit is recorded once however often it is
    /// seen, and never before the start it ends. Every final answer to a request yields an answer.
    /// </remarks>
    /// <param name="signal">What was seen.</param>
    /// <param name="killers">Who last sent a signal, per exec id, for the reason of an exit.</param>
    public TaskStep Observe(ShimSignal signal, ImmutableDictionary<string, Principal> killers) => signal switch
    {
        ShimSignals.Created created => TaskStep.Answered(
            new TaskAnswer.Pid(created.Pid), Phase == TaskPhase.Creating ? [new TaskEvents.Created(created.Pid)] : []),
        ShimSignals.Started started => TaskStep.Answered(
            new TaskAnswer.Pid(started.Pid), MayHaveStarted(started.ExecId) ? [new TaskEvents.Started(started.ExecId, started.Pid)] : []),
        ShimSignals.ExecAdded added => TaskStep.Answered(
            new TaskAnswer.Done(),
            IsVisible && !Execs.ContainsKey(added.ExecId) ? [new TaskEvents.ExecAdded(added.ExecId, added.Stdio, added.Arguments)] : []),
        ShimSignals.Paused => TaskStep.Answered(new TaskAnswer.Done(), Phase == TaskPhase.Running ? [new TaskEvents.Paused()] : []),
        ShimSignals.Resumed => TaskStep.Answered(new TaskAnswer.Done(), Phase == TaskPhase.Paused ? [new TaskEvents.Resumed()] : []),
        ShimSignals.Updated updated => TaskStep.Answered(
            new TaskAnswer.Done(), IsVisible ? [new TaskEvents.Updated(updated.Resources)] : []),
        ShimSignals.Checkpointed checkpointed => TaskStep.Answered(
            new TaskAnswer.Done(), IsVisible ? [new TaskEvents.Checkpointed(checkpointed.Path)] : []),
        ShimSignals.Acknowledged => TaskStep.Answered(new TaskAnswer.Done()),
        ShimSignals.ExecDeleted deleted => ObserveExecDeleted(deleted, killers),
        ShimSignals.Deleted deleted => ObserveDeleted(deleted.Exit),
        ShimSignals.Undone => TaskStep.Answered(
            new TaskAnswer.Done(), Phase == TaskPhase.Absent ? [] : [new TaskEvents.CreateFailed(Interrupted)]),
        ShimSignals.Failed failed => TaskStep.Answered(new TaskAnswer.Refusal(failed.Error), AfterFailure(failed)),
        ShimSignals.Overdue overdue => TaskStep.Refused(overdue.Error),
        ShimSignals.Exited exited => new TaskStep(ExitEvents(exited, killers)),
        ShimSignals.OutOfMemory => new TaskStep(IsVisible && Exit is null ? [new TaskEvents.OutOfMemory()] : []),
        ShimSignals.Lost lost => ObserveLost(lost),
        ShimSignals.Report report => ObserveReport(report, killers),
        _ => throw new ArgumentOutOfRangeException(nameof(signal), signal.GetType().Name, "not something seen of a shim"),
    };

    /// <summary>The answer to a request that was with the shim when the shim was lost.</summary>
    /// <param name="request">The request.</param>
    /// <param name="lost">What was seen of the loss.</param>
    public TaskAnswer AnswerAfterLoss(ShimRequest request, ShimSignals.Lost lost) => request is ShimRequests.Delete
        ? new TaskAnswer.Exit(Exit ?? new ProcessExit(Pid, lost.Status, lost.ExitedAt))
        : new TaskAnswer.Refusal(Error.Unavailable($"shim of task {ContainerId} was lost: {lost.Reason}"));

    /// <summary>What to ask of the shim after a restart of the daemon; null when there can be none.</summary>
    /// <remarks>A creation that was interrupted is taken back: nobody was told of it and its client is gone.</remarks>
    public ShimRequest? AfterRecovery() => Phase switch
    {
        TaskPhase.Absent => null,
        TaskPhase.Creating => new ShimRequests.Undo(RuntimeName),
        _ => new ShimRequests.Report([.. Execs.Keys]),
    };

    private static Error Interrupted { get; } = Error.Unavailable("creation was interrupted and taken back");

    private bool IsStarting(string execId) => execId.Length == 0
        ? Phase == TaskPhase.Starting
        : Execs.TryGetValue(execId, out ExecState? exec) && exec.Phase == ExecPhase.Starting;

    // A start that was given up for lost may turn out to have been done.
    private bool MayHaveStarted(string execId) => execId.Length == 0
        ? Phase is TaskPhase.Created or TaskPhase.Starting
        : Execs.TryGetValue(execId, out ExecState? exec) && exec.Phase is not (ExecPhase.Running or ExecPhase.Stopped);

    private ImmutableArray<DomainEvent> AfterFailure(ShimSignals.Failed failed) => failed.Request switch
    {
        ShimRequests.Create when Phase == TaskPhase.Creating => [new TaskEvents.CreateFailed(failed.Error)],
        ShimRequests.Start start when IsStarting(start.ExecId) => [new TaskEvents.StartFailed(start.ExecId, failed.Error)],
        _ => [],
    };

    private TaskStep ObserveExecDeleted(ShimSignals.ExecDeleted deleted, ImmutableDictionary<string, Principal> killers)
    {
        if (!Execs.TryGetValue(deleted.ExecId, out ExecState? exec))
        {
            return TaskStep.Answered(new TaskAnswer.Exit(deleted.Exit));
        }

        // The shim may say how the process ended before its exit was seen.
        ImmutableArray<DomainEvent> exit = exec.Exit is null && deleted.Exit.ExitedAt is { } at
            ? ExitEvents(new ShimSignals.Exited(deleted.ExecId, deleted.Exit.Pid, deleted.Exit.Status, at), killers)
            : [];
        return TaskStep.Answered(new TaskAnswer.Exit(deleted.Exit), [.. exit, new TaskEvents.ExecDeleted(deleted.ExecId)]);
    }

    private TaskStep ObserveDeleted(ProcessExit exit) => Phase == TaskPhase.Absent
        ? TaskStep.Answered(new TaskAnswer.Exit(exit))
        : TaskStep.Answered(
            new TaskAnswer.Exit(exit),
            new TaskEvents.Deleted(exit.Pid, exit.Status, exit.ExitedAt ?? DateTimeOffset.MinValue));

    private ImmutableArray<DomainEvent> ExitEvents(ShimSignals.Exited exited, ImmutableDictionary<string, Principal> killers)
    {
        if (exited.ExecId.Length == 0)
        {
            if (!IsVisible || Exit is not null)
            {
                return [];
            }

            uint pid = Pid == 0 ? exited.Pid : Pid;
            DomainEvent ended = new TaskEvents.Exited("", pid, exited.Status, exited.ExitedAt, ReasonOf("", exited.Status, killers));
            return Phase == TaskPhase.Starting ? [new TaskEvents.Started("", pid), ended] : [ended];
        }

        if (!Execs.TryGetValue(exited.ExecId, out ExecState? exec) || exec.Phase is not (ExecPhase.Starting or ExecPhase.Running))
        {
            return [];
        }

        uint execPid = exec.Pid == 0 ? exited.Pid : exec.Pid;
        DomainEvent execEnded = new TaskEvents.Exited(
            exited.ExecId, execPid, exited.Status, exited.ExitedAt, ReasonOf(exited.ExecId, exited.Status, killers));
        return exec.Phase == ExecPhase.Starting ? [new TaskEvents.Started(exited.ExecId, execPid), execEnded] : [execEnded];
    }

    private TaskStep ObserveLost(ShimSignals.Lost lost)
    {
        if (Phase == TaskPhase.Absent)
        {
            return TaskStep.None;
        }

        if (Phase == TaskPhase.Creating)
        {
            return new TaskStep([new TaskEvents.CreateFailed(Error.Unavailable($"shim was lost: {lost.Reason}"))]);
        }

        ImmutableArray<DomainEvent>.Builder events = ImmutableArray.CreateBuilder<DomainEvent>();
        events.Add(new TaskEvents.ShimLost(lost.Reason));
        string reason = $"the shim was lost: {lost.Reason}";
        foreach ((string execId, ExecState exec) in Execs)
        {
            if (exec.Phase is ExecPhase.Starting or ExecPhase.Running)
            {
                AddEnd(events, execId, exec.Phase == ExecPhase.Starting, exec.Pid, StatusUnknown, lost.ExitedAt, reason);
            }
        }

        if (Exit is null)
        {
            AddEnd(events, "", Phase == TaskPhase.Starting, Pid, lost.Status, lost.ExitedAt, reason);
        }

        events.Add(new TaskEvents.Deleted(Pid, Exit?.Status ?? lost.Status, Exit?.ExitedAt ?? lost.ExitedAt));
        return new TaskStep(events.ToImmutable());
    }

    private TaskStep ObserveReport(ShimSignals.Report report, ImmutableDictionary<string, Principal> killers)
    {
        if (Phase is TaskPhase.Absent)
        {
            return TaskStep.None;
        }

        if (Phase is TaskPhase.Creating)
        {
            return TaskStep.Ask(new ShimRequests.Undo(RuntimeName));
        }

        ImmutableArray<DomainEvent>.Builder events = ImmutableArray.CreateBuilder<DomainEvent>();
        foreach ((string execId, ExecState exec) in Execs)
        {
            ProcessReport? told = report.Processes.FirstOrDefault(process => process.ExecId == execId);
            events.AddRange(told is null ? AfterMissing(execId, exec) : AfterTold(told, exec.Phase == ExecPhase.Starting, killers));
        }

        if (report.Processes.FirstOrDefault(process => process.ExecId.Length == 0) is { } init)
        {
            events.AddRange(AfterTold(init, Phase == TaskPhase.Starting, killers));
            if (Phase == TaskPhase.Running && init.Status == ProcessStatus.Paused)
            {
                events.Add(new TaskEvents.Paused());
            }
            else if (Phase == TaskPhase.Paused && init.Status == ProcessStatus.Running)
            {
                events.Add(new TaskEvents.Resumed());
            }
        }

        return new TaskStep(events.ToImmutable(), Phase == TaskPhase.Deleting ? new ShimRequests.Delete() : null);
    }

    private static ImmutableArray<DomainEvent> AfterMissing(string execId, ExecState exec) => exec.Phase switch
    {
        ExecPhase.Starting => [new TaskEvents.StartFailed(execId, MissingProcess(execId)), new TaskEvents.ExecDeleted(execId)],
        ExecPhase.Running =>
        [
            new TaskEvents.Exited(execId, exec.Pid, StatusUnknown, DateTimeOffset.MinValue, "the shim does not know it"),
            new TaskEvents.ExecDeleted(execId),
        ],
        _ => [new TaskEvents.ExecDeleted(execId)],
    };

    private ImmutableArray<DomainEvent> AfterTold(ProcessReport told, bool starting, ImmutableDictionary<string, Principal> killers) =>
        told.Status switch
        {
            ProcessStatus.Stopped => ExitEvents(
                new ShimSignals.Exited(told.ExecId, told.Pid, told.ExitStatus, told.ExitedAt ?? DateTimeOffset.MinValue), killers),
            ProcessStatus.Running or ProcessStatus.Paused when starting => [new TaskEvents.Started(told.ExecId, told.Pid)],
            ProcessStatus.Created when starting =>
                [new TaskEvents.StartFailed(told.ExecId, Error.Unavailable("start was interrupted; nothing had been started"))],
            _ => [],
        };

    private static void AddEnd(
        ImmutableArray<DomainEvent>.Builder events, string execId, bool starting, uint pid, uint status, DateTimeOffset at, string reason)
    {
        if (starting)
        {
            events.Add(new TaskEvents.Started(execId, pid));
        }

        events.Add(new TaskEvents.Exited(execId, pid, status, at, reason));
    }

    private string ReasonOf(string execId, uint status, ImmutableDictionary<string, Principal> killers)
    {
        if (HadOutOfMemory && status == SignalBias + SignalKill)
        {
            return "out of memory";
        }

        // A signal to the first process reaches the others when it ends the container.
        string target = Signals.ContainsKey(execId) ? execId : "";
        if (Signals.TryGetValue(target, out uint signal) && status == SignalBias + signal)
        {
            return killers.TryGetValue(target, out Principal? by) ? $"signal {signal} sent by {Describe(by)}" : $"signal {signal}";
        }

        return status > SignalBias && status < StatusUnknown ? $"signal {status - SignalBias} not sent through the daemon" : $"exited with status {status}";
    }

    private static string Describe(Principal by) => by.Kind switch
    {
        PrincipalKind.User => by.Executable.Length > 0 ? $"user {by.Uid} with {by.Executable} (process {by.Pid})" : $"user {by.Uid} (process {by.Pid})",
        PrincipalKind.Policy => $"policy {by.Name}",
        PrincipalKind.Actor => $"actor {by.Name}",
        _ => "the kernel",
    };
}
