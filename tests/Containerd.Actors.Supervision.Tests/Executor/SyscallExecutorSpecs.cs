// SPDX-License-Identifier: Apache-2.0

using Akka.Actor;
using Akka.Configuration;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using Containerd.Actors.Core.Executor;
using Containerd.Actors.Core.Linux;
using Containerd.Actors.Linux.Executor;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Supervision.Executor;

namespace Containerd.Actors.Supervision.Tests.Executor;

public sealed class SyscallExecutorSpecs : TestKit
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(5);

    private readonly FakeRunner _runner = new();

    public SyscallExecutorSpecs()
        : base(ConfigurationFactory.ParseString("akka.scheduler.implementation = \"Akka.TestKit.TestScheduler, Akka.TestKit\"")
            .WithFallback(ExecutorReference.Config))
    {
    }

    private TestScheduler Scheduler => (TestScheduler)Sys.Scheduler;

    [Fact]
    public void An_effect_is_answered_with_what_its_runner_returns()
    {
        _runner.Does = _ => 42;
        IActorRef executor = Executor();

        Execute(executor, LaneKind.Bulk, "a");

        Outcome.Done done = ExpectMsg<Outcome.Done>();
        Assert.Equal((42, "a"), (done.Value, done.Effect.Subject));
    }

    [Fact]
    public void An_effect_that_may_not_wait_is_refused_by_the_key_of_the_lanes_when_none_is_free()
    {
        IActorRef executor = Executor();
        int lanes = ExecutorSettings.Read(ExecutorReference.Config)[LaneKind.Arrival].Lanes;
        for (int i = 0; i < lanes; i++)
        {
            _runner.Block($"busy {i}");
            executor.Tell(new Execute(new Probe(LaneKind.Arrival, $"busy {i}", IsPatient: false)), TestActor);
            _runner.NextBegun();
        }

        executor.Tell(new Execute(new Probe(LaneKind.Arrival, "late", IsPatient: false)), TestActor);
        Error error = ExpectMsg<Outcome.Refused>().Refusal!;
        Assert.Equal(ErrorKind.ResourceExhausted, error.Kind);
        Assert.Contains($"containerd.executor.arrival.lanes = {lanes}", error.Message, StringComparison.Ordinal);

        _runner.Release("busy 0");
        ExpectMsg<Outcome.Done>();
        executor.Tell(new Execute(new Probe(LaneKind.Arrival, "later", IsPatient: false)), TestActor);
        ExpectMsg<Outcome.Done>();
    }

    [Fact]
    public void A_failed_call_is_answered_with_its_error()
    {
        var error = new LinuxError("probe", 16, "EBUSY", "device or resource busy", "a");
        _runner.Does = _ => throw new LinuxException(error);

        Execute(Executor(), LaneKind.Mount, "a");

        Assert.Equal(error, ExpectMsg<Outcome.Failed>().Error);
    }

    [Fact]
    public void Effects_of_one_lane_run_in_order_on_one_thread()
    {
        IActorRef executor = Executor();

        string[] names = [.. Enumerable.Range(0, 20).Select(i => $"{i}")];
        foreach (string name in names)
        {
            Execute(executor, LaneKind.Process, name);
        }

        (string Name, int Thread)[] begun = [.. names.Select(_ => _runner.NextBegun())];
        Assert.Equal(names, begun.Select(effect => effect.Name));
        Assert.Single(begun.Select(effect => effect.Thread).Distinct());
        ReceiveN(names.Length);
    }

    [Fact]
    public void A_blocked_unmount_delays_neither_a_kill_nor_another_mount()
    {
        _runner.Block("unmount");
        IActorRef executor = Executor();
        Execute(executor, LaneKind.Mount, "unmount");
        _runner.NextBegun();

        Execute(executor, LaneKind.Process, "kill");
        Assert.Equal("kill", ExpectMsg<Outcome.Done>().Effect.Subject);
        Execute(executor, LaneKind.Mount, "mount");
        Assert.Equal("mount", ExpectMsg<Outcome.Done>().Effect.Subject);

        _runner.Release("unmount");
        Assert.Equal("unmount", ExpectMsg<Outcome.Done>().Effect.Subject);
    }

    [SkippableFact]
    public void A_call_that_hangs_in_the_kernel_delays_nothing_else()
    {
        Skip.IfNot(File.Exists("/usr/bin/mkfifo"), "mkfifo(1) is not installed");
        string fifo = Path.Combine(Path.GetTempPath(), "fifo-" + Guid.NewGuid().ToString("N"));
        using (var made = System.Diagnostics.Process.Start("/usr/bin/mkfifo", [fifo]))
        {
            made.WaitForExit();
        }

        try
        {
            // Opening a FIFO to read blocks in the kernel until somebody opens it to write.
            var linux = new LinuxEffectRunner();
            _runner.Does = effect => effect.Subject == fifo ? ReadAll(fifo) : linux.Run(new Effects.Kill(Environment.ProcessId, 0), default);
            IActorRef executor = Executor();
            Execute(executor, LaneKind.Mount, fifo);
            _runner.NextBegun();

            Execute(executor, LaneKind.Process, "kill");
            Assert.Equal("kill", ExpectMsg<Outcome.Done>().Effect.Subject);
            Execute(executor, LaneKind.Mount, "mount");
            Assert.Equal("mount", ExpectMsg<Outcome.Done>().Effect.Subject);

            File.WriteAllText(fifo, "released");
            Assert.Equal("released", ExpectMsg<Outcome.Done>().Value);
        }
        finally
        {
            File.Delete(fifo);
        }
    }

    [Fact]
    public void A_lane_past_its_deadline_is_reported_and_replaced_and_takes_the_queue_along()
    {
        _runner.Block("hung");
        IActorRef executor = Executor();
        Execute(executor, LaneKind.Process, "hung");
        int stuckThread = _runner.NextBegun().Thread;
        Execute(executor, LaneKind.Process, "next", TimeSpan.FromMinutes(1));
        Status(executor);

        Scheduler.Advance(Deadline);

        Outcome.Stuck stuck = ExpectMsg<Outcome.Stuck>();
        Assert.Equal(("probe", "hung", Deadline), (stuck.Call, stuck.Path, stuck.After));
        Assert.Equal("probe hung: has not returned after 5s: context deadline exceeded", stuck.Refusal!.Text);
        Assert.Equal("next", ExpectMsg<Outcome.Done>().Effect.Subject);
        Assert.NotEqual(stuckThread, _runner.NextBegun().Thread);
        Assert.True(_runner.Tokens["hung"].IsCancellationRequested);
        Assert.Equal(new LaneStatus(LaneKind.Process, 1, 0, 0, 1, 1), Status(executor));
    }

    [Fact]
    public void A_hung_call_that_returns_after_all_is_forgotten_without_a_second_answer()
    {
        var value = new Disposed();
        _runner.Does = effect => effect.Subject == "hung" ? value : null;
        _runner.Block("hung");
        IActorRef executor = Executor();
        Execute(executor, LaneKind.Process, "hung");
        _runner.NextBegun();
        Status(executor);
        Scheduler.Advance(Deadline);
        ExpectMsg<Outcome.Stuck>();

        _runner.Release("hung");

        Assert.True(value.Event.Wait(TimeSpan.FromSeconds(20)));
        Assert.Equal(new LaneStatus(LaneKind.Process, 1, 0, 0, 0, 1), Status(executor));
    }

    [Fact]
    public void When_no_lane_may_be_replaced_effects_are_refused_by_the_key()
    {
        IActorRef executor = Executor("containerd.executor.process.replacements-max = 1");
        foreach (string name in (string[])["first", "second"])
        {
            _runner.Block(name);
            Execute(executor, LaneKind.Process, name);
            _runner.NextBegun();
            Status(executor);
            Scheduler.Advance(Deadline);
            ExpectMsg<Outcome.Stuck>();
        }

        Execute(executor, LaneKind.Process, "third");

        Error refusal = ExpectMsg<Outcome.Refused>().Error;
        Assert.Equal(ErrorKind.ResourceExhausted, refusal.Kind);
        Assert.Contains("containerd.executor.process.replacements-max", refusal.Message, StringComparison.Ordinal);

        _runner.Release("first");
        AwaitAssert(() => Assert.Equal(1, Status(executor).Lanes));
        Execute(executor, LaneKind.Process, "fourth");
        Assert.Equal("fourth", ExpectMsg<Outcome.Done>().Effect.Subject);
    }

    [Fact]
    public void A_full_queue_refuses_by_the_key()
    {
        _runner.Block("busy");
        IActorRef executor = Executor("containerd.executor.process.queue-max = 1");
        Execute(executor, LaneKind.Process, "busy");
        _runner.NextBegun();
        Execute(executor, LaneKind.Process, "waits");

        Execute(executor, LaneKind.Process, "refused");

        Outcome.Refused refused = ExpectMsg<Outcome.Refused>();
        Assert.Equal(("refused", ErrorKind.ResourceExhausted), (refused.Effect.Subject, refused.Error.Kind));
        Assert.Contains("containerd.executor.process.queue-max", refused.Error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_effect_that_finds_no_lane_in_time_is_refused_and_never_begun()
    {
        _runner.Block("busy");
        IActorRef executor = Executor();
        Execute(executor, LaneKind.Process, "busy", TimeSpan.FromMinutes(5));
        _runner.NextBegun();
        Execute(executor, LaneKind.Process, "waits");
        Status(executor);

        Scheduler.Advance(Deadline);

        Outcome.Refused refused = ExpectMsg<Outcome.Refused>();
        Assert.Equal(("waits", ErrorKind.DeadlineExceeded), (refused.Effect.Subject, refused.Error.Kind));
        _runner.Release("busy");
        ExpectMsg<Outcome.Done>();
        Assert.Empty(_runner.Begun);
    }

    [Fact]
    public void A_bug_in_a_runner_costs_one_effect_and_no_lane()
    {
        _runner.Does = effect => effect.Subject == "bug" ? throw new InvalidOperationException("broken") : null;
        IActorRef executor = Executor();

        Execute(executor, LaneKind.Process, "bug");
        Assert.Equal(ErrorKind.Internal, ExpectMsg<Outcome.Refused>().Error.Kind);
        Execute(executor, LaneKind.Process, "next");

        ExpectMsg<Outcome.Done>();
    }

    [Fact]
    public void Several_runners_are_one_and_an_unknown_effect_is_refused()
    {
        var runners = new EffectRunners(new LinuxEffectRunner());
        IActorRef executor = Sys.ActorOf(SyscallExecutor.Props(ExecutorSettings.Read(Sys.Settings.Config), runners));

        Execute(executor, LaneKind.Process, "nobody's");

        Assert.Equal(ErrorKind.NotImplemented, ExpectMsg<Outcome.Refused>().Error.Kind);
    }

    protected override void AfterAll()
    {
        // A lane that still hangs would keep the actor system from ending.
        _runner.Dispose();
        base.AfterAll();
    }

    private IActorRef Executor(string overrides = "") => Sys.ActorOf(SyscallExecutor.Props(
        ExecutorSettings.Read(ConfigurationFactory.ParseString(overrides).WithFallback(Sys.Settings.Config)), _runner));

    private void Execute(IActorRef executor, LaneKind kind, string name, TimeSpan? deadline = null) =>
        executor.Tell(new Execute(new Probe(kind, name), deadline ?? Deadline), TestActor);

    // Also a barrier: whatever was sent before was taken in when the answer is here.
    private LaneStatus Status(IActorRef executor)
    {
        TestProbe asker = CreateTestProbe();
        executor.Tell(new ExecutorQueries.GetStatus(), asker);
        return asker.ExpectMsg<ExecutorStatus>().Kinds.Single(kind => kind.Kind == LaneKind.Process);
    }

    private static string ReadAll(string fifo)
    {
        using var reader = new StreamReader(fifo);
        return reader.ReadToEnd();
    }

    private sealed class Disposed : IDisposable
    {
        public ManualResetEventSlim Event { get; } = new();

        public void Dispose() => Event.Set();
    }
}
