// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Tasks;

namespace Containerd.Actors.Core.Tasks;

/// <summary>Where a task stands.</summary>
public enum TaskPhase
{
    /// <summary>There is none.</summary>
    Absent,

    /// <summary>A shim is being asked to create it.</summary>
    Creating,

    /// <summary>Its first process waits to be started.</summary>
    Created,

    /// <summary>The shim is being asked to start the first process.</summary>
    Starting,

    /// <summary>The first process runs.</summary>
    Running,

    /// <summary>All processes are frozen.</summary>
    Paused,

    /// <summary>The first process ended.</summary>
    Stopped,

    /// <summary>The shim is being asked to forget it.</summary>
    Deleting,
}

/// <summary>Where a further process of a task stands.</summary>
public enum ExecPhase
{
    /// <summary>Described; not started.</summary>
    Added,

    /// <summary>The shim is being asked to start it.</summary>
    Starting,

    /// <summary>It runs.</summary>
    Running,

    /// <summary>It could not be started.</summary>
    Failed,

    /// <summary>It ended.</summary>
    Stopped,
}

/// <summary>A further process of a task.</summary>
/// <param name="Phase">Where it stands.</param>
/// <param name="Stdio">Where it reads and writes.</param>
/// <param name="Pid">0 until it runs.</param>
/// <param name="Exit">How it ended; null while it has not.</param>
public sealed record ExecState(ExecPhase Phase, ProcessStdio Stdio, uint Pid = 0, ProcessExit? Exit = null);

/// <summary>A task with its processes as a fold of its events, and what may be done to it.</summary>
/// <remarks>
/// <code>
/// absent --Create--> creating --> created --Start--> starting --> running &lt;--> paused
///    ^                  |            |                  |            |           |
///    +----- failed -----+            +-------------- exit -----------+-----------+--> stopped --Delete--> deleting --> absent
/// </code>
/// Pure: no clock, no input or output. <see cref="Decide(Protocol.Messages.IForContainer)"/> is the legality table of requests, <see cref="Observe"/> that of what is
/// seen of the shim.
/// </remarks>
public sealed partial record TaskState(string ContainerId)
{
    private static readonly ProcessStdio NoStdio = new("", "", "", false);

    /// <summary>Where the task stands.</summary>
    public TaskPhase Phase { get; private init; }

    /// <summary>Id of the first process; 0 until it exists.</summary>
    public uint Pid { get; private init; }

    /// <summary>Where the first process reads and writes.</summary>
    public ProcessStdio Stdio { get; private init; } = NoStdio;

    /// <summary>Runtime of the task; empty while there is none.</summary>
    public string RuntimeName { get; private init; } = "";

    /// <summary>How the first process ended; null while it has not.</summary>
    public ProcessExit? Exit { get; private init; }

    /// <summary>Further processes by exec id.</summary>
    public ImmutableSortedDictionary<string, ExecState> Execs { get; private init; } =
        ImmutableSortedDictionary.Create<string, ExecState>(StringComparer.Ordinal);

    /// <summary>True once the kernel ended a process for want of memory.</summary>
    public bool HadOutOfMemory { get; private init; }

    /// <summary>Last signal asked for per exec id.</summary>
    public ImmutableDictionary<string, uint> Signals { get; private init; } = ImmutableDictionary<string, uint>.Empty;

    /// <summary>True when there may be a shim to be asked what is true.</summary>
    public bool ExpectsShim => Phase != TaskPhase.Absent;

    /// <summary>True when clients can see the task.</summary>
    public bool IsVisible => Phase is not (TaskPhase.Absent or TaskPhase.Creating);

    /// <summary>The first process as clients see it; null while there is none.</summary>
    public ProcessRecord? Init => IsVisible ? new ProcessRecord(ContainerId, "", Pid, InitStatus, Stdio, Exit) : null;

    /// <summary>One process as clients see it, or why not.</summary>
    /// <param name="execId">Empty for the first process.</param>
    /// <param name="error">Why there is none.</param>
    public ProcessRecord? Find(string execId, out Error? error)
    {
        error = null;
        if (!IsVisible)
        {
            error = Missing(ContainerId);
            return null;
        }

        if (execId.Length == 0)
        {
            return Init;
        }

        if (Execs.TryGetValue(execId, out ExecState? exec))
        {
            return new ProcessRecord(ContainerId, execId, exec.Pid, StatusOf(exec), exec.Stdio, exec.Exit);
        }

        error = MissingProcess(execId);
        return null;
    }

    /// <summary>The refusal of requests for a task that does not exist.</summary>
    public static Error Missing(string containerId) => Error.NotFound($"task {containerId} not found");

    /// <summary>The refusal of requests for a process that does not exist.</summary>
    public static Error MissingProcess(string execId) => Error.NotFound($"process does not exist {execId}");

    /// <summary>The state after one more event; total, so that any history can be folded.</summary>
    public TaskState Apply(DomainEvent e) => e switch
    {
        TaskEvents.CreateRequested requested => new TaskState(ContainerId)
        {
            Phase = TaskPhase.Creating, Stdio = requested.Stdio, RuntimeName = requested.RuntimeName,
        },
        TaskEvents.Created created => this with { Phase = TaskPhase.Created, Pid = created.Pid },
        TaskEvents.CreateFailed or TaskEvents.Deleted => new TaskState(ContainerId),
        TaskEvents.StartRequested { ExecId: "" } => this with { Phase = TaskPhase.Starting },
        TaskEvents.StartRequested requested => WithExec(requested.ExecId, exec => exec with { Phase = ExecPhase.Starting, Exit = null }),
        TaskEvents.Started { ExecId: "" } started => this with { Phase = TaskPhase.Running, Pid = started.Pid },
        TaskEvents.Started started =>
            WithExec(started.ExecId, exec => exec with { Phase = ExecPhase.Running, Pid = started.Pid, Exit = null }),
        TaskEvents.StartFailed { ExecId: "" } => this with { Phase = TaskPhase.Created },
        TaskEvents.StartFailed failed => WithExec(
            failed.ExecId, exec => exec with { Phase = ExecPhase.Failed, Exit = new ProcessExit(0, 0, null) }),
        TaskEvents.ExecAdded added => this with
        {
            Execs = Execs.SetItem(added.ExecId, new ExecState(ExecPhase.Added, added.Stdio)), Signals = Signals.Remove(added.ExecId),
        },
        TaskEvents.ExecDeleted deleted => this with { Execs = Execs.Remove(deleted.ExecId), Signals = Signals.Remove(deleted.ExecId) },
        TaskEvents.KillRequested kill => this with { Signals = Signals.SetItem(kill.ExecId, kill.Signal) },
        TaskEvents.Paused => this with { Phase = TaskPhase.Paused },
        TaskEvents.Resumed => this with { Phase = TaskPhase.Running },
        TaskEvents.OutOfMemory => this with { HadOutOfMemory = true },
        TaskEvents.Exited { ExecId: "" } exited => this with
        {
            Phase = Phase == TaskPhase.Deleting ? TaskPhase.Deleting : TaskPhase.Stopped,
            Exit = new ProcessExit(exited.Pid, exited.Status, exited.ExitedAt),
        },
        TaskEvents.Exited exited => WithExec(exited.ExecId, exec => exec with
        {
            Phase = ExecPhase.Stopped, Exit = new ProcessExit(exited.Pid, exited.Status, exited.ExitedAt),
        }),
        TaskEvents.DeleteRequested => this with { Phase = TaskPhase.Deleting },
        _ => this,
    };

    private ProcessStatus InitStatus => Phase switch
    {
        TaskPhase.Created or TaskPhase.Starting => ProcessStatus.Created,
        TaskPhase.Running => ProcessStatus.Running,
        TaskPhase.Paused => ProcessStatus.Paused,
        TaskPhase.Stopped => ProcessStatus.Stopped,
        TaskPhase.Deleting => Exit is null ? ProcessStatus.Created : ProcessStatus.Stopped,
        _ => ProcessStatus.Unknown,
    };

    // A frozen container freezes its further processes too.
    private ProcessStatus StatusOf(ExecState exec) => exec.Phase switch
    {
        ExecPhase.Running when Phase == TaskPhase.Paused => ProcessStatus.Paused,
        ExecPhase.Running => ProcessStatus.Running,
        ExecPhase.Stopped => ProcessStatus.Stopped,
        _ => ProcessStatus.Created,
    };

    private TaskState WithExec(string execId, Func<ExecState, ExecState> change) =>
        Execs.TryGetValue(execId, out ExecState? exec) ? this with { Execs = Execs.SetItem(execId, change(exec)) } : this;
}
