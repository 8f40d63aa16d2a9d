// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.Tasks;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Containers;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Tasks;
using Containerd.Actors.Protocol.Values;

namespace Containerd.Actors.Core.Tests.Tasks;

/// <summary>Histories that lead to each phase, and one request of each kind.</summary>
internal static class Histories
{
    public const string Ns = "default";
    public const string Id = "redis";
    public const string Exec = "e1";
    public static readonly ProcessStdio Stdio = new("/in", "/out", "/err", false);
    public static readonly DateTimeOffset At = new(2030, 1, 2, 3, 4, 5, TimeSpan.Zero);
    public static readonly Caller By = new(Principal.User(1000, 1000, 77, "/usr/bin/ctr"));
    public static readonly AnyValue Spec = new("types.containerd.io/opencontainers/runtime-spec/1/Process", new byte[] { (byte)'{', (byte)'}' });
    public static readonly ImmutableDictionary<string, Principal> NoKillers = ImmutableDictionary<string, Principal>.Empty;

    public static TaskState In(TaskPhase phase) => Fold(phase switch
    {
        TaskPhase.Absent => [],
        TaskPhase.Creating => [Requested],
        TaskPhase.Created => [Requested, new TaskEvents.Created(10)],
        TaskPhase.Starting => [Requested, new TaskEvents.Created(10), new TaskEvents.StartRequested("")],
        TaskPhase.Running => Running,
        TaskPhase.Paused => [.. Running, new TaskEvents.Paused()],
        TaskPhase.Stopped => [.. Running, new TaskEvents.Exited("", 10, 3, At, "")],
        TaskPhase.Deleting => [.. Running, new TaskEvents.Exited("", 10, 3, At, ""), new TaskEvents.DeleteRequested()],
        _ => throw new ArgumentOutOfRangeException(nameof(phase)),
    });

    public static TaskState WithExec(ExecPhase phase, TaskPhase task = TaskPhase.Running)
    {
        TaskState state = In(task).Apply(new TaskEvents.ExecAdded(Exec, Stdio, ["sh"]));
        DomainEvent[] events = phase switch
        {
            ExecPhase.Added => [],
            ExecPhase.Starting => [new TaskEvents.StartRequested(Exec)],
            ExecPhase.Running => [new TaskEvents.StartRequested(Exec), new TaskEvents.Started(Exec, 11)],
            ExecPhase.Failed => [new TaskEvents.StartRequested(Exec), new TaskEvents.StartFailed(Exec, Protocol.Errors.Error.Unknown("no"))],
            _ => [new TaskEvents.StartRequested(Exec), new TaskEvents.Started(Exec, 11), new TaskEvents.Exited(Exec, 11, 4, At, "")],
        };
        return events.Aggregate(state, (now, e) => now.Apply(e));
    }

    public static IForContainer Command(string name, string execId = "") => name switch
    {
        "Start" => new TaskCommands.Start(Ns, Id, execId, By),
        "Delete" => new TaskCommands.Delete(Ns, Id, By),
        "DeleteProcess" => new TaskCommands.DeleteProcess(Ns, Id, execId, By),
        "Exec" => new TaskCommands.Exec(Ns, Id, execId, Spec, Stdio, By),
        "Kill" => new TaskCommands.Kill(Ns, Id, execId, 9, false, By),
        "Pause" => new TaskCommands.Pause(Ns, Id, By),
        "Resume" => new TaskCommands.Resume(Ns, Id, By),
        "Update" => new TaskCommands.Update(Ns, Id, Spec, Labels.None, By),
        "Checkpoint" => new TaskCommands.Checkpoint(Ns, Id, "/c", null, By),
        "ResizePty" => new TaskCommands.ResizePty(Ns, Id, execId, 80, 24, By),
        "CloseIO" => new TaskCommands.CloseIO(Ns, Id, execId, true, By),
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, null),
    };

    public static TaskCreation Creation(AnyValue? options = null, string runtime = TaskCreation.Runc) => new(
        new TaskCommands.Create(Ns, Id, [], Stdio, By) { Options = options },
        new ContainerRecord(Id) { RuntimeName = runtime, Spec = Spec },
        "/bundle");

    public static TaskState Fold(IEnumerable<DomainEvent> events) => events.Aggregate(new TaskState(Id), (state, e) => state.Apply(e));

    private static TaskEvents.CreateRequested Requested => new(TaskCreation.Runc, "/bundle", Stdio, "");

    private static ImmutableArray<DomainEvent> Running =>
        [Requested, new TaskEvents.Created(10), new TaskEvents.StartRequested(""), new TaskEvents.Started("", 10)];
}
