// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Tasks;

namespace Containerd.Actors.Core.Tasks;

public sealed partial record TaskState
{
    /// <summary>Whether a task may be created; the legality table's row of Create.</summary>
    public TaskStep Decide(TaskCreation creation)
    {
        if (Phase != TaskPhase.Absent)
        {
            return TaskStep.Refused(Error.AlreadyExists($"task {ContainerId}"));
        }

        if (creation.Command.Checkpoint is { MediaType: not CheckpointCommands.ImageType } foreign)
        {
            return TaskStep.Refused(Error.Unknown($"unsupported checkpoint type \"{foreign.MediaType}\""));
        }

        return creation.HasForeignOptions
            ? TaskStep.Refused(Error.Unknown($"invalid task create option for {creation.RuntimeName}"))
            : TaskStep.Ask(
                new ShimRequests.Create(creation),
                new TaskEvents.CreateRequested(creation.RuntimeName, creation.Bundle, creation.Command.Stdio, creation.CheckpointName));
    }

    /// <summary>Whether a request is legal now, and what follows; the legality table.</summary>
    /// <remarks>What only the shim can know is left to it: it gives the refusal then.</remarks>
    public TaskStep Decide(IForContainer command)
    {
        if (command is TaskCommands.Exec { ExecId: "" } or TaskCommands.DeleteProcess { ExecId: "" })
        {
            return TaskStep.Refused(Error.Invalid("exec id cannot be empty"));
        }

        if (!IsVisible)
        {
            return TaskStep.Refused(Missing(ContainerId));
        }

        return command switch
        {
            TaskCommands.Start { ExecId: "" } => Phase switch
            {
                TaskPhase.Created => TaskStep.Ask(new ShimRequests.Start(""), new TaskEvents.StartRequested("")),
                TaskPhase.Starting => TaskStep.Refused(Error.Unavailable($"task {ContainerId} is being started")),
                _ => Cannot("start", "process"),
            },
            TaskCommands.Start start => WithProcess(start.ExecId, DecideStart),
            TaskCommands.Delete => Phase switch
            {
                TaskPhase.Created or TaskPhase.Stopped => TaskStep.Ask(new ShimRequests.Delete(), new TaskEvents.DeleteRequested()),
                TaskPhase.Deleting => TaskStep.Ask(new ShimRequests.Delete()),
                _ => Cannot("delete", "process"),
            },
            TaskCommands.DeleteProcess delete => WithProcess(delete.ExecId, (id, exec) => exec.Phase switch
            {
                ExecPhase.Starting or ExecPhase.Running => TaskStep.Refused(Error.Unknown("cannot delete a running process")),
                _ => TaskStep.Ask(new ShimRequests.DeleteProcess(id)),
            }),
            TaskCommands.Exec exec => DecideExec(exec),
            TaskCommands.Kill { ExecId: "" } kill => Exit is not null
                ? TaskStep.Refused(Error.NotFound("process already finished"))
                : AskKill(kill),
            TaskCommands.Kill kill => WithProcess(kill.ExecId, (_, exec) => exec.Phase switch
            {
                ExecPhase.Stopped => TaskStep.Refused(Error.NotFound("process already finished")),
                ExecPhase.Added or ExecPhase.Failed => TaskStep.Refused(Error.FailedPrecondition("process not created")),
                _ => AskKill(kill),
            }),
            TaskCommands.Pause => Phase switch
            {
                TaskPhase.Running => TaskStep.Ask(new ShimRequests.Pause()),
                TaskPhase.Created or TaskPhase.Starting => InCreatedState("pause"),
                _ => Cannot("pause", "container"),
            },
            TaskCommands.Resume => Phase switch
            {
                TaskPhase.Paused => TaskStep.Ask(new ShimRequests.Resume()),
                TaskPhase.Created or TaskPhase.Starting => InCreatedState("resume"),
                TaskPhase.Running => Cannot("resume", "process"),
                _ => Cannot("resume", "container"),
            },
            TaskCommands.Update { Resources: null } => TaskStep.Refused(Error.Invalid("resources cannot be empty")),
            TaskCommands.Update update => Phase is TaskPhase.Stopped or TaskPhase.Deleting
                ? Cannot("update", "container")
                : TaskStep.Ask(new ShimRequests.Update(update.Resources, update.Annotations)),
            TaskCommands.Checkpoint { Options: { } options } when TaskCreation.IsOther(options, TaskCreation.CheckpointOptions) =>
                TaskStep.Refused(Error.Unknown($"invalid task checkpoint option for {RuntimeName}")),
            TaskCommands.Checkpoint checkpoint => Phase switch
            {
                TaskPhase.Running or TaskPhase.Paused => TaskStep.Ask(new ShimRequests.Checkpoint(checkpoint.Path, checkpoint.Options)),
                TaskPhase.Created or TaskPhase.Starting => InCreatedState("checkpoint"),
                _ => Cannot("checkpoint", "container"),
            },
            TaskCommands.ResizePty { ExecId: "" } resize => Phase is TaskPhase.Stopped or TaskPhase.Deleting
                ? Cannot("resize", "container")
                : TaskStep.Ask(new ShimRequests.ResizePty("", resize.Width, resize.Height)),
            TaskCommands.ResizePty resize => WithProcess(
                resize.ExecId, (id, _) => TaskStep.Ask(new ShimRequests.ResizePty(id, resize.Width, resize.Height))),
            TaskCommands.CloseIO { Stdin: false } => TaskStep.Answered(new TaskAnswer.Done()),
            TaskCommands.CloseIO { ExecId: "" } => TaskStep.Ask(new ShimRequests.CloseIO("", true)),
            TaskCommands.CloseIO close => WithProcess(close.ExecId, (id, _) => TaskStep.Ask(new ShimRequests.CloseIO(id, true))),
            _ => throw new ArgumentOutOfRangeException(nameof(command), command.GetType().Name, "not a request for a task"),
        };
    }

    private TaskStep DecideStart(string execId, ExecState exec) => (exec.Phase, Phase) switch
    {
        (ExecPhase.Stopped, _) => TaskStep.Refused(Error.Unknown("cannot start a stopped process")),
        (ExecPhase.Starting, _) => TaskStep.Refused(Error.Unavailable($"process {execId} is being started")),
        (ExecPhase.Running, _) => TaskStep.Refused(Error.Unknown("cannot start a running process")),
        (_, TaskPhase.Stopped or TaskPhase.Deleting) =>
            TaskStep.Refused(Error.FailedPrecondition($"container {ContainerId} init process is not running")),
        _ => TaskStep.Ask(new ShimRequests.Start(execId), new TaskEvents.StartRequested(execId)),
    };

    private TaskStep DecideExec(TaskCommands.Exec command)
    {
        if (Identifiers.Validate(command.ExecId) is { } invalid)
        {
            return TaskStep.Refused(invalid);
        }

        if (command.Spec is null)
        {
            return TaskStep.Refused(Error.Invalid("exec spec cannot be empty"));
        }

        if (Execs.ContainsKey(command.ExecId))
        {
            return TaskStep.Refused(Error.AlreadyExists($"id {command.ExecId}"));
        }

        return Phase switch
        {
            TaskPhase.Paused => TaskStep.Refused(Error.Unknown("cannot exec in a paused state")),
            TaskPhase.Stopped => TaskStep.Refused(Error.Unknown("cannot exec in a stopped state")),
            TaskPhase.Deleting => TaskStep.Refused(Error.Unknown("cannot exec in a deleted state")),
            _ => TaskStep.Ask(new ShimRequests.Exec(command.ExecId, command.Spec, command.Stdio)),
        };
    }

    private static TaskStep AskKill(TaskCommands.Kill kill) => TaskStep.Ask(
        new ShimRequests.Kill(kill.ExecId, kill.Signal, kill.All), new TaskEvents.KillRequested(kill.ExecId, kill.Signal, kill.All));

    private TaskStep WithProcess(string execId, Func<string, ExecState, TaskStep> decide) =>
        Execs.TryGetValue(execId, out ExecState? exec) ? decide(execId, exec) : TaskStep.Refused(MissingProcess(execId));

    private static TaskStep InCreatedState(string verb) =>
        TaskStep.Refused(Error.Unknown($"cannot {verb} task in created state"));

    // The words are those of runc's shim.
    private TaskStep Cannot(string verb, string noun)
    {
        string state = Phase switch
        {
            TaskPhase.Starting or TaskPhase.Running => "running",
            TaskPhase.Paused => "paused",
            TaskPhase.Stopped => "stopped",
            TaskPhase.Deleting => "deleted",
            _ => "created",
        };
        return TaskStep.Refused(Error.Unknown($"cannot {verb} a {state} {noun}"));
    }
}
