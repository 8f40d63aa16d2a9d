// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;
using Akka.Actor;
using Akka.Event;
using Containerd.Actors.Protocol.Containers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Runs;
using Containerd.Actors.Protocol.Tasks;
using Containerd.Actors.Supervision.Namespaces.Pulls;
using Error = Containerd.Actors.Protocol.Errors.Error;

namespace Containerd.Actors.Supervision.Namespaces.Runs;

/// <summary>Owns one run: makes the container, hears of its end, removes it where that is wanted, and tells whoever asked.</summary>
/// <remarks>
/// <code>
/// asked --work--> running --exit--> ended --removal, until it is done--> over
///   |                |
///   +--refused,      +--asker gone, nothing to remove--> over
///      asker gone--> over, nothing left
///
/// left by an earlier daemon --linger--> running --exit--> …
/// </code>
/// It stores nothing: each step is an event of whoever owns its object, and that the container is to be removed is a label of its record,
/// by which the next daemon finds it (<see cref="RunsSupervisor"/>).
/// </remarks>
[SuppressMessage("Design", "CA1001", Justification = "An actor ends in PostStop, where it is disposed.")]
internal sealed class RunActor : UntypedActor, IWithTimers
{
    private const uint StatusUnknown = 255;

    private readonly string _id;
    private readonly Func<RunCommands.Run?, RunWork> _works;
    private readonly RunSettings _settings;
    private readonly ContainerRecord? _left;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _givenUp = new();
    private IActorRef _asker = ActorRefs.Nobody;
    private RunWork? _work;
    private ContainerRecord? _record;
    private bool _removes;

    public RunActor(string id, Func<RunCommands.Run?, RunWork> works, RunSettings settings, ContainerRecord? left) =>
        (_id, _works, _settings, _left) = (id, works, settings, left);

    /// <summary>The name is free again: what is told after this cannot meet the run any more.</summary>
    internal sealed record Over(string Id);

    private sealed record Ended(ProcessExit Exit);

    private sealed record Broke(Error Error);

    private sealed record Gone(Error? Error);

    private sealed record Removed;

    private sealed record Remains(Error Error);

    private sealed record Wait;

    private sealed record Remove;

    /// <inheritdoc />
    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>A run that is asked for by the first message.</summary>
    /// <param name="id">Id of the container.</param>
    /// <param name="works">What it asks of the tree, on whose behalf.</param>
    /// <param name="settings">Bounds.</param>
    /// <param name="left">Record of a container that an earlier daemon left to be removed; null for a new one.</param>
    public static Props Props(
        string id, Func<RunCommands.Run?, RunWork> works, RunSettings settings, ContainerRecord? left = null) =>
        Akka.Actor.Props.Create(() => new RunActor(id, works, settings, left));

    protected override void PreStart()
    {
        if (_left is not null)
        {
            (_work, _record, _removes) = (_works(null), _left, true);
            Timers.StartSingleTimer(nameof(Wait), new Wait(), _settings.Linger);
        }
    }

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case RunCommands.Run run when _work is null: Begin(run); break;
            case RunningContainer running: Go(running); break;
            case Broke broke: End(Reply.Refused<Nothing>(broke.Error)); break;
            case Wait: Await(); break;
            case Ended ended: Finish(ended.Exit); break;
            case Gone { Error.Kind: ErrorKind.NotFound }: Finish(new ProcessExit(0, StatusUnknown, null)); break;
            case Gone: Timers.StartSingleTimer(nameof(Wait), new Wait(), _settings.RetryInterval); break;
            case Remove: Clear(); break;
            case Removed:
                _asker.Tell(new RunProgress.Removed(_work!.TakeStages()));
                End(Reply.Done());
                break;
            case Remains remains: Again(remains.Error); break;
            case Terminated: Leave(); break;
            default: Unhandled(message); break;
        }
    }

    protected override void PostStop()
    {
        _asker.Tell(Reply.Refused<Nothing>(Error.Unavailable($"run of {_id}: its actor stopped")));
        _stopping.Cancel();
        _stopping.Dispose();
        _givenUp.Cancel();
        _givenUp.Dispose();
        _work?.Dispose();
    }

    private void Begin(RunCommands.Run run)
    {
        _asker = Context.Watch(Sender);
        (_work, _removes) = (_works(run), run.Wish.Removes);
        _work.StartAsync(run.Wish, _givenUp.Token).PipeTo(Self, failure: cause => new Broke(ErrorOf(cause)));
    }

    private void Go(RunningContainer running)
    {
        _record = running.Record;
        _asker.Tell(new RunProgress.Started(running.Pid, _work!.TakeStages()));
        if (_asker.IsNobody() && !_removes)
        {
            End(Reply.Done());
        }
        else
        {
            Await();
        }
    }

    private void Await()
    {
        Task<ProcessExit> end = _left is null ? _work!.WaitAsync(_id, _stopping.Token) : _work!.WaitForLeftAsync(_id, _stopping.Token);
        end.PipeTo(Self, success: exit => new Ended(exit), failure: cause => new Gone(ErrorOf(cause)));
    }

    private void Finish(ProcessExit exit)
    {
        _asker.Tell(new RunProgress.Exited(exit, _work!.TakeStages()));
        if (_removes)
        {
            Clear();
        }
        else
        {
            End(Reply.Done());
        }
    }

    private void Clear() => _work!.RemoveAsync(_record!).PipeTo(Self, success: _ => new Removed(), failure: cause => new Remains(ErrorOf(cause)));

    // Whoever waits need not wait for what may take long; the removal does not end before it is done.
    private void Again(Error error)
    {
        Error told = error.While($"container \"{_id}\" is not removed yet");
        _log.Warning("{0}; tried again in {1}", told.Text, _settings.RetryInterval);
        Timers.StartSingleTimer(nameof(Remove), new Remove(), _settings.RetryInterval);
        _asker.Tell(Reply.Refused<Nothing>(told));
        _asker = ActorRefs.Nobody;
    }

    private void Leave()
    {
        _log.Info("run of {0}: whoever asked for it is gone", _id);
        _asker = ActorRefs.Nobody;
        if (_record is null)
        {
            _givenUp.Cancel();
        }
        else if (!_removes)
        {
            End(Reply.Done());
        }
    }

    private void End(Reply<Nothing> reply)
    {
        Context.Parent.Tell(new Over(_id));
        _asker.Tell(reply);
        _asker = ActorRefs.Nobody;
        Context.Stop(Self);
    }

    private Error ErrorOf(Exception cause) => cause is OperationCanceledException
        ? new Error(ErrorKind.Canceled, $"run of {_id} was given up")
        : PullActor.ErrorOf(cause);
}
