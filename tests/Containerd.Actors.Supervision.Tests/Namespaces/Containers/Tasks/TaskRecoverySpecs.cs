// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Tasks;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Tasks;
using Containerd.Actors.Supervision.Tests.Namespaces.Containers.Tasks.Shims;

namespace Containerd.Actors.Supervision.Tests.Namespaces.Containers.Tasks;

/// <summary>The daemon is killed between each pair of steps: intent stored, deed done, fact stored, answer given.</summary>
public class TaskRecoverySpecs : ContainersFixture
{
    [Fact]
    public async Task A_running_task_is_found_again_and_goes_on()
    {
        await Run("a");
        await Exec("a", "e1");
        await Restart();
        Assert.Equal((ProcessStatus.Running, 100u), ((await Get("a")).Status, (await Get("a")).Pid));
        Assert.Equal(ProcessStatus.Running, (await Get("a", "e1")).Status);
        await Do(new TaskCommands.Kill(Ns, "a", "e1", 9, false, By));
        Assert.Equal(137u, (await Wait("a", "e1")).Status);
        await Do(new TaskCommands.Kill(Ns, "a", "", 15, false, By));
        Assert.Equal(143u, (await Wait("a")).Status);
    }

    [Fact]
    public async Task An_exit_while_the_daemon_was_down_is_recorded_with_the_shims_status_and_time()
    {
        await Run("a");
        FakeShim shim = World.Living["a"];
        Task restart = Restart();
        shim.Exit("", 42);
        await restart;
        ProcessExit exit = await Wait("a");
        Assert.Equal((42u, FakeShim.ExitedAt), (exit.Status, exit.ExitedAt));
        Assert.Equal(42u, (await Do(new TaskCommands.Delete(Ns, "a", By))).Status);
    }

    [Fact]
    public async Task A_creation_that_was_interrupted_is_taken_back()
    {
        await CreateContainer("a");
        World.CreateGate = new TaskCompletionSource();
        _ = Ask(CreateTask("a"));
        await Until(() => Task.FromResult(World.Deeds.Contains("create a")));
        await Restart();
        World.CreateGate = null;
        await Until(() => Task.FromResult(World.Deeds.Contains("undo a")));
        await Until(async () => await Ask(CreateTask("a")) is Done<uint>);
        Assert.Single(World.Living);
    }

    [Theory]
    [InlineData(true, ProcessStatus.Running)]
    [InlineData(false, ProcessStatus.Created)]
    public async Task A_start_that_was_interrupted_is_what_the_shim_says(bool wasDone, ProcessStatus expected)
    {
        await CreateContainer("a");
        await Do(CreateTask("a"));
        FakeShim shim = World.Living["a"];
        shim.OnCall = async request =>
        {
            if (wasDone)
            {
                await shim.AnswerAsync(request);
            }

            return await new TaskCompletionSource<ShimSignal>().Task;
        };
        _ = Ask(new TaskCommands.Start(Ns, "a", "", By));
        await Until(() => Task.FromResult(World.Deeds.Contains("Start a")));
        await Restart();
        await Until(async () => (await Get("a")).Status == expected);
        Assert.Equal(!wasDone, await Ask(new TaskCommands.Start(Ns, "a", "", By)) is Done<uint>);
    }

    [Fact]
    public async Task A_deletion_that_was_interrupted_is_finished()
    {
        await Run("a");
        World.Living["a"].Exit("", 3);
        await Wait("a");
        World.Frozen["a"] = true;
        Task<Reply<ProcessExit>> delete = Ask(new TaskCommands.Delete(Ns, "a", By));
        await Until(() => Task.FromResult(World.Deeds.Contains("Delete a")));
        await delete;
        await Restart();
        World.Frozen.Clear();
        await Until(async () => await Ask(new TaskQueries.Get(Ns, "a", "", By)) is Refused<ProcessRecord>);
        Assert.Empty(World.Living);
    }

    [Fact]
    public async Task A_task_whose_shim_is_gone_ends_and_is_cleaned_up_after()
    {
        await Run("a");
        World.Living.Clear();
        await Restart();
        await Until(async () => await Ask(new TaskQueries.Get(Ns, "a", "", By)) is Refused<ProcessRecord>);
        Assert.Contains("clean up a", World.Deeds);
        await Do(CreateTask("a"));
    }

    [Fact]
    public async Task A_shim_that_is_frozen_at_the_start_holds_up_nobody_and_is_found_when_it_thaws()
    {
        await Run("a");
        await Run("b");
        World.Frozen["a"] = true;
        await Restart();
        await Exec("b", "e1");
        Assert.Equal(2, (await Do(new TaskQueries.List(Ns, By))).Length);
        Assert.Contains("shim of task a did not answer Connect", await Refusal(new TaskCommands.Pause(Ns, "a", By)), StringComparison.Ordinal);
        World.Frozen.Clear();
        await Until(async () => await Ask(new TaskCommands.Pause(Ns, "a", By)) is Done<Nothing>);
        Assert.Equal(ProcessStatus.Paused, (await Get("a")).Status);
    }

    [Fact]
    public async Task A_tasks_actor_that_stops_is_started_anew_and_asks_the_shim()
    {
        await Run("a");
        Task<Reply<ProcessExit>> wait = Ask(new TaskQueries.Wait(Ns, "a", "", By));
        await Get("a");
        Select("containers/a/task").Tell(Akka.Actor.PoisonPill.Instance, Akka.Actor.ActorRefs.NoSender);
        Assert.IsType<Refused<ProcessExit>>(await wait);
        await Until(async () => await Ask(new TaskCommands.Kill(Ns, "a", "", 9, false, By)) is Done<Nothing>);
        Assert.Equal(137u, (await Wait("a")).Status);
    }

    [Fact]
    public async Task A_containers_actor_that_stops_is_started_anew()
    {
        await Run("a");
        Akka.Actor.IActorRef first = await ((Akka.Actor.ActorSelection)Select("containers/a")).ResolveOne(RemainingOrDefault);
        await WatchAsync(first);
        first.Tell(Akka.Actor.PoisonPill.Instance, Akka.Actor.ActorRefs.NoSender);
        await ExpectTerminatedAsync(first);
        await Until(async () => await Ask(new TaskCommands.Kill(Ns, "a", "", 9, false, By)) is Done<Nothing>);
        Assert.Equal(137u, (await Wait("a")).Status);
    }

    [Fact]
    public async Task A_shims_actor_that_fails_connects_again()
    {
        await Run("a");
        Select("containers/a/task/shim").Tell(Akka.Actor.Kill.Instance, Akka.Actor.ActorRefs.NoSender);
        await Until(async () => await Ask(new TaskCommands.Pause(Ns, "a", By)) is Done<Nothing>);
        Assert.Equal(ProcessStatus.Paused, (await Get("a")).Status);
    }
}
