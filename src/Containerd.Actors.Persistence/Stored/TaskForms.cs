// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Tasks;

namespace Containerd.Actors.Persistence.Stored;

/// <summary>Stored forms of <see cref="TaskEvents"/>.</summary>
internal static class TaskForms
{
    public static IReadOnlyList<EventForm> All { get; } =
    [
        EventForm.Of("task.create-requested:1", V1.TaskCreateRequested.Parser,
            (TaskEvents.CreateRequested e) => new V1.TaskCreateRequested
            {
                RuntimeName = e.RuntimeName,
                Bundle = e.Bundle,
                Stdio = Values.Stdio(e.Stdio),
                Checkpoint = e.Checkpoint,
            },
            m => new TaskEvents.CreateRequested(m.RuntimeName, m.Bundle, Values.Stdio(m.Stdio), m.Checkpoint)),
        EventForm.Of("task.created:1", V1.TaskCreated.Parser,
            (TaskEvents.Created e) => new V1.TaskCreated { Pid = e.Pid },
            m => new TaskEvents.Created(m.Pid)),
        EventForm.Of("task.create-failed:1", V1.TaskCreateFailed.Parser,
            (TaskEvents.CreateFailed e) => new V1.TaskCreateFailed { Error = Values.Error(e.Error) },
            m => new TaskEvents.CreateFailed(Values.Error(m.Error))),
        EventForm.Of("task.start-requested:1", V1.TaskStartRequested.Parser,
            (TaskEvents.StartRequested e) => new V1.TaskStartRequested { ExecId = e.ExecId },
            m => new TaskEvents.StartRequested(m.ExecId)),
        EventForm.Of("task.started:1", V1.TaskStarted.Parser,
            (TaskEvents.Started e) => new V1.TaskStarted { ExecId = e.ExecId, Pid = e.Pid },
            m => new TaskEvents.Started(m.ExecId, m.Pid)),
        EventForm.Of("task.start-failed:1", V1.TaskStartFailed.Parser,
            (TaskEvents.StartFailed e) => new V1.TaskStartFailed { ExecId = e.ExecId, Error = Values.Error(e.Error) },
            m => new TaskEvents.StartFailed(m.ExecId, Values.Error(m.Error))),
        EventForm.Of("task.exec-added:1", V1.TaskExecAdded.Parser,
            (TaskEvents.ExecAdded e) =>
                new V1.TaskExecAdded { ExecId = e.ExecId, Stdio = Values.Stdio(e.Stdio), Arguments = { e.Arguments } },
            m => new TaskEvents.ExecAdded(m.ExecId, Values.Stdio(m.Stdio), [.. m.Arguments])),
        EventForm.Of("task.exec-deleted:1", V1.TaskExecDeleted.Parser,
            (TaskEvents.ExecDeleted e) => new V1.TaskExecDeleted { ExecId = e.ExecId },
            m => new TaskEvents.ExecDeleted(m.ExecId)),
        EventForm.Of("task.kill-requested:1", V1.TaskKillRequested.Parser,
            (TaskEvents.KillRequested e) => new V1.TaskKillRequested { ExecId = e.ExecId, Signal = e.Signal, All = e.All },
            m => new TaskEvents.KillRequested(m.ExecId, m.Signal, m.All)),
        EventForm.Of("task.paused:1", V1.TaskPaused.Parser,
            (TaskEvents.Paused _) => new V1.TaskPaused(),
            _ => new TaskEvents.Paused()),
        EventForm.Of("task.resumed:1", V1.TaskResumed.Parser,
            (TaskEvents.Resumed _) => new V1.TaskResumed(),
            _ => new TaskEvents.Resumed()),
        EventForm.Of("task.updated:1", V1.TaskUpdated.Parser,
            (TaskEvents.Updated e) => new V1.TaskUpdated { Resources = e.Resources },
            m => new TaskEvents.Updated(m.Resources)),
        EventForm.Of("task.checkpointed:1", V1.TaskCheckpointed.Parser,
            (TaskEvents.Checkpointed e) => new V1.TaskCheckpointed { Path = e.Path },
            m => new TaskEvents.Checkpointed(m.Path)),
        EventForm.Of("task.out-of-memory:1", V1.TaskOutOfMemory.Parser,
            (TaskEvents.OutOfMemory _) => new V1.TaskOutOfMemory(),
            _ => new TaskEvents.OutOfMemory()),
        EventForm.Of("task.exited:1", V1.TaskExited.Parser,
            (TaskEvents.Exited e) => new V1.TaskExited
            {
                ExecId = e.ExecId,
                Pid = e.Pid,
                Status = e.Status,
                ExitedAt = Values.Time(e.ExitedAt),
                Reason = e.Reason,
            },
            m => new TaskEvents.Exited(m.ExecId, m.Pid, m.Status, Values.Time(m.ExitedAt), m.Reason)),
        EventForm.Of("task.delete-requested:1", V1.TaskDeleteRequested.Parser,
            (TaskEvents.DeleteRequested _) => new V1.TaskDeleteRequested(),
            _ => new TaskEvents.DeleteRequested()),
        EventForm.Of("task.deleted:1", V1.TaskDeleted.Parser,
            (TaskEvents.Deleted e) => new V1.TaskDeleted { Pid = e.Pid, Status = e.Status, ExitedAt = Values.Time(e.ExitedAt) },
            m => new TaskEvents.Deleted(m.Pid, m.Status, Values.Time(m.ExitedAt))),
        EventForm.Of("task.shim-lost:1", V1.TaskShimLost.Parser,
            (TaskEvents.ShimLost e) => new V1.TaskShimLost { Reason = e.Reason },
            m => new TaskEvents.ShimLost(m.Reason)),
    ];
}
