// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.Tasks;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Tasks;
using CsCheck;

namespace Containerd.Actors.Core.Tests.Tasks;

public class TaskHistorySpecs
{
    private static readonly string[] Commands =
        ["Start", "Delete", "DeleteProcess", "Exec", "Kill", "Pause", "Resume", "Update", "Checkpoint", "ResizePty", "CloseIO"];

    // A step: a request, an answer to the oldest request that is with the shim, or something the shim says unasked.
    private static readonly Gen<(int What, int Which, int Exec)[]> Steps =
        Gen.Select(Gen.Int[0, 3], Gen.Int[0, 20], Gen.Int[0, 1]).Array[0, 80];

    [Fact]
    public void Whatever_clients_ask_and_shims_say_a_process_starts_before_it_ends_and_ends_once() => Steps.Sample(steps =>
    {
        TaskState state = new(Histories.Id);
        List<DomainEvent> journal = [];
        Queue<ShimRequest> withShim = new();
        foreach ((int what, int which, int exec) in steps)
        {
            string execId = exec == 0 ? "" : Histories.Exec;
            TaskStep step = what switch
            {
                0 when which == 0 => state.Decide(Histories.Creation()),
                0 or 1 => state.Decide(Histories.Command(Commands[which % Commands.Length], execId)),
                2 when withShim.TryDequeue(out ShimRequest? request) => state.Observe(Answer(request, which), Histories.NoKillers),
                _ => state.Observe(Unasked(which, execId), Histories.NoKillers),
            };
            if (step.Request is { } asked)
            {
                withShim.Enqueue(asked);
            }

            journal.AddRange(step.Events);
            state = step.Events.Aggregate(state, (now, e) => now.Apply(e));
        }

        Check(journal);
        TaskState again = Histories.Fold(journal);
        Assert.Equal((state.Phase, state.Pid, state.Exit, state.Execs.Count), (again.Phase, again.Pid, again.Exit, again.Execs.Count));
    });

    private static void Check(List<DomainEvent> journal)
    {
        HashSet<string> running = [];
        HashSet<string> ended = [];
        bool exists = false;
        foreach (DomainEvent e in journal)
        {
            switch (e)
            {
                case TaskEvents.CreateRequested:
                    Assert.False(exists);
                    exists = true;
                    break;
                case TaskEvents.Created:
                    Assert.True(running.Add(""));
                    break;
                case TaskEvents.Started { ExecId: "" }:
                    Assert.Contains("", running);
                    break;
                case TaskEvents.Started started:
                    Assert.True(running.Add(started.ExecId));
                    break;
                case TaskEvents.Exited exited:
                    Assert.True(running.Remove(exited.ExecId));
                    Assert.True(ended.Add(exited.ExecId));
                    break;
                case TaskEvents.ExecDeleted deleted:
                    ended.Remove(deleted.ExecId);
                    running.Remove(deleted.ExecId);
                    break;
                case TaskEvents.Deleted or TaskEvents.CreateFailed:
                    Assert.True(exists);
                    (exists, running, ended) = (false, [], []);
                    break;
            }
        }
    }

    private static ShimSignal Answer(ShimRequest request, int which) => (request, which % 5) switch
    {
        (_, 0) => new ShimSignals.Failed(request, Error.Unknown("no")),
        (_, 1) => new ShimSignals.Overdue(request, Error.Unknown("late")),
        (ShimRequests.Create, _) => new ShimSignals.Created(10),
        (ShimRequests.Start start, _) => new ShimSignals.Started(start.ExecId, 11),
        (ShimRequests.Exec added, _) => new ShimSignals.ExecAdded(added.ExecId, added.Stdio, []),
        (ShimRequests.Pause, _) => new ShimSignals.Paused(),
        (ShimRequests.Resume, _) => new ShimSignals.Resumed(),
        (ShimRequests.Delete, _) => new ShimSignals.Deleted(new ProcessExit(10, 3, Histories.At)),
        (ShimRequests.DeleteProcess deleted, _) => new ShimSignals.ExecDeleted(deleted.ExecId, new ProcessExit(11, 3, Histories.At)),
        (ShimRequests.Undo, _) => new ShimSignals.Undone(),
        _ => new ShimSignals.Acknowledged(),
    };

    private static ShimSignal Unasked(int which, string execId) => which switch
    {
        < 9 => new ShimSignals.Exited(execId, 10, (uint)which, Histories.At),
        < 11 => new ShimSignals.OutOfMemory(),
        < 12 => new ShimSignals.Lost("gone", 137, Histories.At),
        < 17 => new ShimSignals.Report([new ProcessReport("", 10, (ProcessStatus)(which - 11), 3, Histories.At)]),
        _ => new ShimSignals.Report(
        [
            new ProcessReport("", 10, ProcessStatus.Running, 0, null),
            new ProcessReport(Histories.Exec, 11, (ProcessStatus)(which - 16), 3, Histories.At),
        ]),
    };
}
