// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.Tasks;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Tasks;

namespace Containerd.Actors.Core.Tests.Tasks;

public class TaskObservationSpecs
{
    private static readonly ShimSignals.Exited InitExit = new("", 10, 137, Histories.At);

    [Fact]
    public void An_exit_before_the_answer_to_the_start_is_recorded_after_the_start()
    {
        ImmutableArray<DomainEvent> events = Observe(Histories.In(TaskPhase.Starting), InitExit).Events;
        Assert.IsType<TaskEvents.Started>(events[0]);
        Assert.IsType<TaskEvents.Exited>(events[1]);
    }

    [Fact]
    public void An_exit_is_recorded_once_however_often_it_is_seen()
    {
        TaskState stopped = Histories.In(TaskPhase.Stopped);
        Assert.Empty(Observe(stopped, InitExit).Events);
        Assert.Empty(Observe(stopped, new ShimSignals.Exited("", 10, 3, Histories.At)).Events);
        Assert.Empty(Observe(Histories.In(TaskPhase.Absent), InitExit).Events);
    }

    [Fact]
    public void A_start_answered_after_the_exit_is_answered_and_not_recorded_again()
    {
        TaskStep step = Observe(Histories.In(TaskPhase.Stopped), new ShimSignals.Started("", 10));
        Assert.Empty(step.Events);
        Assert.Equal(new TaskAnswer.Pid(10), step.Answer);
    }

    [Fact]
    public void The_reason_of_an_exit_names_who_sent_the_signal()
    {
        TaskState state = Histories.In(TaskPhase.Running).Apply(new TaskEvents.KillRequested("", 9, false));
        TaskStep step = state.Observe(InitExit, Histories.NoKillers.Add("", Principal.User(0, 0, 42, "/usr/bin/ctr")));
        Assert.Equal("signal 9 sent by user 0 with /usr/bin/ctr (process 42)", Assert.IsType<TaskEvents.Exited>(step.Events[0]).Reason);
    }

    [Fact]
    public void The_reason_of_an_exit_names_want_of_memory()
    {
        TaskState state = Histories.In(TaskPhase.Running).Apply(new TaskEvents.OutOfMemory());
        Assert.Equal("out of memory", Assert.IsType<TaskEvents.Exited>(Observe(state, InitExit).Events[0]).Reason);
    }

    [Fact]
    public void A_lost_shim_ends_what_ran_and_then_the_task()
    {
        TaskStep step = Observe(Histories.WithExec(ExecPhase.Running), new ShimSignals.Lost("gone", 137, Histories.At));
        Assert.Collection(
            step.Events,
            e => Assert.IsType<TaskEvents.ShimLost>(e),
            e => Assert.Equal((Histories.Exec, 255u), (((TaskEvents.Exited)e).ExecId, ((TaskEvents.Exited)e).Status)),
            e => Assert.Equal(("", 137u), (((TaskEvents.Exited)e).ExecId, ((TaskEvents.Exited)e).Status)),
            e => Assert.Equal(137u, Assert.IsType<TaskEvents.Deleted>(e).Status));
    }

    [Fact]
    public void A_shim_lost_after_the_exit_keeps_the_exit()
    {
        TaskStep step = Observe(Histories.In(TaskPhase.Stopped), new ShimSignals.Lost("gone", 137, Histories.At));
        Assert.Equal(3u, Assert.IsType<TaskEvents.Deleted>(step.Events[^1]).Status);
        Assert.DoesNotContain(step.Events, e => e is TaskEvents.Exited);
    }

    [Fact]
    public void A_report_tells_of_an_exit_that_happened_meanwhile()
    {
        ShimSignals.Report report = new([new ProcessReport("", 10, ProcessStatus.Stopped, 42, Histories.At)]);
        TaskEvents.Exited exited = Assert.IsType<TaskEvents.Exited>(Assert.Single(Observe(Histories.In(TaskPhase.Running), report).Events));
        Assert.Equal((42u, Histories.At), (exited.Status, exited.ExitedAt));
    }

    [Fact]
    public void A_report_finishes_or_takes_back_a_start()
    {
        TaskState starting = Histories.In(TaskPhase.Starting);
        Assert.IsType<TaskEvents.Started>(Assert.Single(Observe(starting, Report(ProcessStatus.Running)).Events));
        Assert.IsType<TaskEvents.StartFailed>(Assert.Single(Observe(starting, Report(ProcessStatus.Created)).Events));
    }

    [Fact]
    public void A_report_goes_on_with_a_deletion() =>
        Assert.IsType<ShimRequests.Delete>(Observe(Histories.In(TaskPhase.Deleting), Report(ProcessStatus.Stopped)).Request);

    [Fact]
    public void An_exec_the_shim_does_not_know_ends_and_is_forgotten()
    {
        TaskStep step = Observe(Histories.WithExec(ExecPhase.Running), Report(ProcessStatus.Running));
        Assert.Collection(
            step.Events, e => Assert.IsType<TaskEvents.Exited>(e), e => Assert.IsType<TaskEvents.ExecDeleted>(e));
    }

    [Theory]
    [InlineData(TaskPhase.Absent, null)]
    [InlineData(TaskPhase.Creating, "Undo")]
    [InlineData(TaskPhase.Running, "Report")]
    [InlineData(TaskPhase.Deleting, "Report")]
    public void After_a_restart_the_shim_is_asked_unless_there_can_be_none(TaskPhase phase, string? request) =>
        Assert.Equal(request, Histories.In(phase).AfterRecovery()?.Name);

    [Fact]
    public void Every_final_signal_yields_an_answer_in_every_phase()
    {
        ShimRequest[] requests =
        [
            new ShimRequests.Create(Histories.Creation()), new ShimRequests.Start(""), new ShimRequests.Start(Histories.Exec),
            new ShimRequests.Delete(), new ShimRequests.Pause(),
        ];
        ShimSignal[] finals =
        [
            new ShimSignals.Created(1), new ShimSignals.Started("", 1), new ShimSignals.Started(Histories.Exec, 1),
            new ShimSignals.ExecAdded(Histories.Exec, Histories.Stdio, []), new ShimSignals.Paused(), new ShimSignals.Resumed(),
            new ShimSignals.Updated("{}"), new ShimSignals.Checkpointed("/c"), new ShimSignals.Acknowledged(),
            new ShimSignals.ExecDeleted(Histories.Exec, new ProcessExit(1, 2, Histories.At)),
            new ShimSignals.Deleted(new ProcessExit(1, 2, Histories.At)), new ShimSignals.Undone(),
            .. requests.Select(request => new ShimSignals.Failed(request, Error.Unknown("no"))),
            .. requests.Select(request => new ShimSignals.Overdue(request, Error.Unknown("late"))),
        ];
        foreach (TaskPhase phase in Enum.GetValues<TaskPhase>())
        {
            Assert.All(finals, signal => Assert.NotNull(Observe(Histories.In(phase), signal).Answer));
            Assert.All(requests, request => Assert.NotNull(
                Histories.In(phase).AnswerAfterLoss(request, new ShimSignals.Lost("gone", 255, Histories.At))));
        }
    }

    private static ShimSignals.Report Report(ProcessStatus status) =>
        new([new ProcessReport("", 10, status, 3, status == ProcessStatus.Stopped ? Histories.At : null)]);

    private static TaskStep Observe(TaskState state, ShimSignal signal) => state.Observe(signal, Histories.NoKillers);
}
