// SPDX-License-Identifier: Apache-2.0

using Akka.Actor;
using Akka.Event;
using Containerd.Actors.Core.Executor;
using Containerd.Actors.Protocol.Errors;
using Error = Containerd.Actors.Protocol.Errors.Error;

namespace Containerd.Actors.Supervision.Executor;

/// <summary>Owns the lanes: takes effects, hands each to a free lane of its kind, and answers for lanes that hang.</summary>
/// <remarks>
/// <code>
/// Execute --> queue of the kind --> lane --> Outcome to the sender
///               | deadline           | deadline
///               v                    v
///            Refused              Stuck; the lane is given up, another takes its place
/// </code>
/// A lane that was given up is a thread the kernel holds. It ends when its call returns; what it still says is only counted.
/// Effects of one kind begin in the order in which they came.
/// </remarks>
public sealed class SyscallExecutor : UntypedActor, IWithTimers
{
    private readonly ExecutorSettings _settings;
    private readonly IEffectRunner _runner;
    private readonly Dictionary<LaneKind, LanePool> _pools = [];
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private long _jobs;

    public SyscallExecutor(ExecutorSettings settings, IEffectRunner runner)
    {
        _settings = settings;
        _runner = runner;
    }

    /// <inheritdoc />
    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>The actor <c>/user/containerd/executor</c>; <paramref name="runner"/> is called on several threads at once.</summary>
    public static Props Props(ExecutorSettings settings, IEffectRunner runner) =>
        Akka.Actor.Props.Create(() => new SyscallExecutor(settings, runner));

    /// <inheritdoc />
    protected override void PreStart()
    {
        foreach (LaneKind kind in Enum.GetValues<LaneKind>())
        {
            var pool = new LanePool(_settings[kind]);
            _pools.Add(kind, pool);
            Fill(pool);
        }
    }

    /// <inheritdoc />
    protected override void PostStop()
    {
        foreach (Lane lane in _pools.Values.SelectMany(pool => pool.Lanes))
        {
            lane.GivenUp.Cancel();
        }
    }

    /// <inheritdoc />
    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case Execute execute: OnExecute(execute); break;
            case LaneActor.Ran ran: OnRan(ran); break;
            case DeadlinePassed passed: OnDeadline(passed); break;
            case ExecutorQueries.GetStatus: Sender.Tell(Status()); break;
            default: Unhandled(message); break;
        }
    }

    private void OnExecute(Execute execute)
    {
        LanePool pool = _pools[execute.Effect.Lane];
        if (pool.Refusal(execute.Effect) is { } refusal)
        {
            Sender.Tell(new Outcome.Refused(execute.Effect, refusal));
            return;
        }

        TimeSpan deadline = execute.Deadline > TimeSpan.Zero ? execute.Deadline : pool.Settings.Deadline;
        var job = new Job(++_jobs, execute.Effect, Sender, deadline);
        pool.Queue.AddLast(job);
        Timers.StartSingleTimer(job.Number, new DeadlinePassed(execute.Effect.Lane, job.Number), deadline);
        Dispatch(pool);
    }

    private void OnRan(LaneActor.Ran ran)
    {
        LanePool pool = _pools[ran.Outcome.Effect.Lane];
        if (pool.Lanes.Find(lane => lane.Job?.Number == ran.Job) is { } free)
        {
            Timers.Cancel(ran.Job);
            free.Job!.Owner.Tell(ran.Outcome);
            free.Job = null;
        }
        else if (pool.Abandoned.Remove(ran.Job))
        {
            _log.Warning("{0} {1}: returned after its lane was given up", ran.Outcome.Effect.Call, ran.Outcome.Effect.Subject);
            (ran.Outcome as Outcome.Done)?.Discard();
            Fill(pool);
        }

        Dispatch(pool);
    }

    private void OnDeadline(DeadlinePassed passed)
    {
        LanePool pool = _pools[passed.Kind];
        if (pool.Lanes.Find(lane => lane.Job?.Number == passed.Job) is { } stuck)
        {
            GiveUp(pool, stuck);
        }
        else if (pool.Queue.FirstOrDefault(job => job.Number == passed.Job) is { } waiting)
        {
            pool.Queue.Remove(waiting);
            waiting.Owner.Tell(new Outcome.Refused(waiting.Effect, new Error(
                ErrorKind.DeadlineExceeded,
                $"{waiting.Effect.Call} {waiting.Effect.Subject}: no {pool.Settings.Name} lane was free within {waiting.Deadline.TotalSeconds:0.###}s")));
        }
    }

    // The thread cannot be taken back from the kernel: it is only taken out of service.
    private void GiveUp(LanePool pool, Lane stuck)
    {
        Job job = stuck.Job!;
        pool.Lanes.Remove(stuck);
        pool.Abandoned.Add(job.Number);
        pool.Stuck++;
        stuck.GivenUp.Cancel();
        Context.Stop(stuck.Actor);
        _log.Error("{0} {1}: has not returned after {2}; lane {3} is given up", job.Effect.Call, job.Effect.Subject, job.Deadline, stuck.Actor.Path.Name);
        job.Owner.Tell(new Outcome.Stuck(job.Effect, job.Effect.Call, job.Effect.Subject, job.Deadline));
        Fill(pool);
        Dispatch(pool);
    }

    private void Fill(LanePool pool)
    {
        while (pool.MayAddLane)
        {
            // Disposed by nobody: a token source without a timer holds nothing, and a lane given up may still look at its token.
            var givenUp = new CancellationTokenSource();
            IActorRef actor = Context.ActorOf(LaneActor.Props(_runner, givenUp.Token), $"{pool.Settings.Name}-{pool.LanesMade++}");
            pool.Lanes.Add(new Lane(actor, givenUp));
        }
    }

    private void Dispatch(LanePool pool)
    {
        while (pool.Queue.First is { } next && pool.Lanes.Find(lane => lane.Job is null) is { } free)
        {
            pool.Queue.RemoveFirst();
            free.Job = next.Value;
            free.Actor.Tell(new LaneActor.Run(next.Value.Number, next.Value.Effect));
        }

        if (pool.Lanes.Count == 0)
        {
            RefuseAll(pool);
        }
    }

    private void RefuseAll(LanePool pool)
    {
        foreach (Job job in pool.Queue)
        {
            Timers.Cancel(job.Number);
            job.Owner.Tell(new Outcome.Refused(job.Effect, pool.Refusal(job.Effect)!));
        }

        pool.Queue.Clear();
    }

    private ExecutorStatus Status() => new([.. _pools.Select(pool => new LaneStatus(
        pool.Key,
        pool.Value.Lanes.Count,
        pool.Value.Lanes.Count(lane => lane.Job is not null),
        pool.Value.Queue.Count,
        pool.Value.Abandoned.Count,
        pool.Value.Stuck))]);

    // Lanes hold nothing between effects: a bug in a runner costs that one effect.
    /// <inheritdoc />
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(_ => Directive.Restart);

    private sealed record DeadlinePassed(LaneKind Kind, long Job);
}
