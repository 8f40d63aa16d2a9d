// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Tasks;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Tasks;
using Containerd.Actors.Protocol.Values;
using Containerd.Actors.Supervision.Tests.Namespaces.Containers.Tasks.Shims;
using Containerd.Events;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Containerd.Actors.Supervision.Tests.Namespaces.Containers.Tasks;

public class TaskActorSpecs : ContainersFixture
{
    [Fact]
    public async Task A_task_lives_from_creation_to_deletion()
    {
        await CreateContainer("a");
        Assert.Equal(100u, await Do(CreateTask("a")));
        Assert.Equal(ProcessStatus.Created, (await Get("a")).Status);
        Assert.Equal("task a: already exists", await Refusal(CreateTask("a")));
        Assert.Equal(100u, await Do(new TaskCommands.Start(Ns, "a", "", By)));
        Assert.Equal("cannot delete a running process", await Refusal(new TaskCommands.Delete(Ns, "a", By)));
        await Do(new TaskCommands.Pause(Ns, "a", By));
        Assert.Equal(ProcessStatus.Paused, (await Get("a")).Status);
        await Do(new TaskCommands.Resume(Ns, "a", By));
        await Do(new TaskCommands.Kill(Ns, "a", "", 9, false, By));
        Assert.Equal(137u, (await Wait("a")).Status);
        Assert.Equal(ProcessStatus.Stopped, (await Get("a")).Status);
        Assert.Equal("process already finished: not found", await Refusal(new TaskCommands.Kill(Ns, "a", "", 9, false, By)));
        Assert.Equal(137u, (await Do(new TaskCommands.Delete(Ns, "a", By))).Status);
        Assert.Equal("task a not found", await Refusal(new TaskQueries.Get(Ns, "a", "", By)));
        Assert.Equal(100u, await Do(CreateTask("a")));
    }

    [Theory]
    [InlineData("e1")]
    [InlineData("shim")]
    public async Task A_further_process_lives_from_exec_to_deletion(string execId)
    {
        await Run("a");
        for (int round = 0; round < 3; round++)
        {
            await Exec("a", execId);
            Assert.Equal($"id {execId}: already exists", await Refusal(new TaskCommands.Exec(Ns, "a", execId, Spec, Stdio, By)));
            Task<ProcessExit> wait = Wait("a", execId);
            World.Living["a"].Exit(execId, 9);
            Assert.Equal(9u, (await wait).Status);
            Assert.Equal(9u, (await Do(new TaskCommands.DeleteProcess(Ns, "a", execId, By))).Status);
            Assert.Equal($"process does not exist {execId}: not found", await Refusal(new TaskQueries.Get(Ns, "a", execId, By)));
        }
    }

    [Fact]
    public async Task A_hundred_waiters_are_answered_by_one_exit_and_later_ones_at_once()
    {
        await Run("a");
        List<Task<ProcessExit>> waiters = [.. Enumerable.Range(0, 100).Select(_ => Wait("a"))];
        await Get("a");
        Assert.All(waiters, waiter => Assert.False(waiter.IsCompleted));
        World.Living["a"].Exit("", 42);
        Assert.All(await Task.WhenAll(waiters), exit => Assert.Equal(42u, exit.Status));
        Assert.Equal(FakeShim.ExitedAt, (await Wait("a")).ExitedAt);
    }

    [Fact]
    public async Task An_exit_that_is_forwarded_and_waited_for_is_recorded_once()
    {
        await Run("a");
        TaskExit exit = new()
        {
            ContainerId = "a", Id = "a", Pid = 100, ExitStatus = 7, ExitedAt = Timestamp.FromDateTimeOffset(FakeShim.ExitedAt),
        };
        for (int time = 0; time < 3; time++)
        {
            Tell(new TaskSignals.Forwarded(Ns, "a", "/tasks/exit", new AnyValue("containerd.events.TaskExit", exit.ToByteArray())));
        }

        Assert.Equal(7u, (await Wait("a")).Status);
        World.Living["a"].Exit("", 8);
        Assert.Equal(7u, (await Wait("a")).Status);
    }

    [Fact]
    public async Task A_failed_creation_leaves_nothing_and_may_be_tried_again()
    {
        await CreateContainer("a");
        World.CreateError = Error.Unknown("failed to create shim task: no such file");
        Assert.Equal("failed to create shim task: no such file", await Refusal(CreateTask("a")));
        Assert.Equal("task a not found", await Refusal(new TaskQueries.Get(Ns, "a", "", By)));
        World.CreateError = null;
        Assert.Equal(100u, await Do(CreateTask("a")));
    }

    [Fact]
    public async Task A_start_that_fails_is_answered_and_releases_who_waits()
    {
        await Run("a");
        await Do(new TaskCommands.Exec(Ns, "a", "e1", Spec, Stdio, By));
        Task<ProcessExit> wait = Wait("a", "e1");
        World.Living["a"].OnCall = _ => throw new RefusedException(Error.Unknown("no such command"));
        Assert.Equal("no such command", await Refusal(new TaskCommands.Start(Ns, "a", "e1", By)));
        Assert.Null((await wait).ExitedAt);
    }

    [Fact]
    public async Task A_frozen_shim_holds_up_nobody_and_its_calls_are_refused_by_name()
    {
        await Run("a");
        await Run("b");
        World.Frozen["a"] = true;
        Task<string> kill = Refusal(new TaskCommands.Kill(Ns, "a", "", 9, false, By));
        Assert.Equal(ProcessStatus.Running, (await Get("a")).Status);
        Assert.Equal(2, (await Do(new TaskQueries.List(Ns, By))).Length);
        await Exec("b", "e1");
        Assert.Equal(
            "shim of task a did not answer Kill within 1 s (containerd.containers.shim.call-timeout): context deadline exceeded", await kill);
        Assert.StartsWith("shim of task a did not answer Stats within", await Refusal(new TaskQueries.Stats(Ns, "a", By)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_that_comes_late_still_counts()
    {
        await CreateContainer("a");
        await Do(CreateTask("a"));
        TaskCompletionSource<ShimSignal> gate = new();
        World.Living["a"].OnCall = _ => gate.Task;
        Assert.Contains("did not answer Start", await Refusal(new TaskCommands.Start(Ns, "a", "", By)), StringComparison.Ordinal);
        Assert.Equal("task a is being started: unavailable", await Refusal(new TaskCommands.Start(Ns, "a", "", By)));
        gate.SetResult(new ShimSignals.Started("", 100));
        await Until(async () => (await Get("a")).Status == ProcessStatus.Running);
    }

    [Fact]
    public async Task A_shim_that_dies_ends_its_task_and_answers_everybody()
    {
        await Run("a");
        await Exec("a", "e1");
        Task<ProcessExit> wait = Wait("a");
        Task<ProcessExit> waitExec = Wait("a", "e1");
        World.Living["a"].OnCall = _ => new TaskCompletionSource<ShimSignal>().Task;
        Task<Reply<Nothing>> pause = Ask(new TaskCommands.Pause(Ns, "a", By));
        await Until(() => Task.FromResult(World.Deeds.Contains("Pause a")));
        World.Living["a"].Die();
        Assert.Equal((137u, 255u), ((await wait).Status, (await waitExec).Status));
        Assert.Contains("was lost", Assert.IsType<Refused<Nothing>>(await pause).Error.Text, StringComparison.Ordinal);
        Assert.Contains("clean up a", World.Deeds);
        Assert.Equal("task a not found", await Refusal(new TaskQueries.Get(Ns, "a", "", By)));
    }

    [Fact]
    public async Task An_exit_seen_before_the_answer_to_the_start_comes_after_it()
    {
        await CreateContainer("a");
        await Do(CreateTask("a"));
        TaskCompletionSource<ShimSignal> gate = new();
        FakeShim shim = World.Living["a"];
        shim.OnCall = _ => gate.Task;
        Task<uint> start = Do(new TaskCommands.Start(Ns, "a", "", By));
        await Until(() => Task.FromResult(World.Deeds.Contains("Start a")));
        shim.Exit("", 0);
        gate.SetResult(new ShimSignals.Started("", 100));
        Assert.Equal(100u, await start);
        Assert.Equal(0u, (await Wait("a")).Status);
    }

    [Fact]
    public async Task Questions_are_answered_by_the_shim()
    {
        await Run("a");
        Assert.Equal([100u], (await Do(new TaskQueries.Pids(Ns, "a", By))).Select(pid => pid.Pid));
        Assert.Equal("io.containerd.cgroups.v1.Metrics", (await Do(new TaskQueries.Stats(Ns, "a", By))).Stats.TypeUrl);
    }
}
