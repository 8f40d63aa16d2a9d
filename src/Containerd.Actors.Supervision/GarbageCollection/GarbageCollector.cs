// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;
using Akka.Actor;
using Akka.Event;
using Containerd.Actors.Core.GarbageCollection;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Error = Containerd.Actors.Protocol.Errors.Error;

namespace Containerd.Actors.Supervision.GarbageCollection;

/// <summary>Decides when garbage is collected and has one run at a time.</summary>
/// <remarks>
/// <code>
/// waiting --timer, worth it--> running --done or failed--> waiting
///    ^  `--timer, not worth it--'  ^                          |
///    |                             `------- requests wait ----'
/// </code>
/// A run begins after every request it answers: requests that come while one is running wait for the next and share it. Dry runs
/// go the same way, one at a time with the others, and change neither what is there nor when the next run is worth it.
/// <para>
/// A run that a deletion made worth it collects as if it had taken place with the deletion: what has been made since stays until
/// something else goes. Content that a client stores without a lease, to name it in its next call, is so not lost to a deletion
/// before it that was a moment late in being followed.
/// </para>
/// </remarks>
[SuppressMessage("Design", "CA1001", Justification = "An actor ends in PostStop, where the token source is disposed.")]
public sealed class GarbageCollector : UntypedActor, IWithTimers
{
    private readonly GarbageRunner _runner;
    private readonly GarbageCollectionSettings _settings;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly CancellationTokenSource _stopping = new();
    private List<IActorRef> _answered = [];
    private List<IActorRef> _waiting = [];
    private List<IActorRef> _waitingDry = [];
    private bool _running;
    private bool _isDry;
    private int _deletions;
    private int _mutations;
    private DateTimeOffset? _deletedAt;
    private TimeSpan _marking;
    private int _runs;

    /// <summary>Makes the collector.</summary>
    /// <param name="runner">What a run does.</param>
    /// <param name="settings">When it runs.</param>
    public GarbageCollector(GarbageRunner runner, GarbageCollectionSettings settings)
    {
        _runner = runner;
        _settings = settings;
    }

    /// <inheritdoc />
    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>How the collector is made.</summary>
    /// <param name="namespaces">Supervisor of namespaces.</param>
    /// <param name="content">The content store.</param>
    /// <param name="snapshots">Supervisor of snapshotters.</param>
    /// <param name="mounts">Who holds mounts.</param>
    /// <param name="settings">When it runs.</param>
    /// <param name="time">The clock.</param>
    public static Props Props(
        IActorRef namespaces, IActorRef content, IActorRef snapshots, IActorRef mounts, GarbageCollectionSettings settings, TimeProvider time) =>
        Akka.Actor.Props.Create(() => new GarbageCollector(
            new GarbageRunner(namespaces, content, snapshots, mounts, settings.StepTimeout, time), settings));

    /// <inheritdoc />
    protected override void PreStart()
    {
        Context.System.EventStream.Subscribe(Self, typeof(NamespaceChanged));
        // The first run takes place whatever has happened: what was garbage when the daemon stopped still is.
        _deletions = 1;
        Plan(_settings.StartupDelay);
    }

    /// <inheritdoc />
    protected override void PostStop()
    {
        Context.System.EventStream.Unsubscribe(Self);
        _stopping.Cancel();
        _stopping.Dispose();
        Refuse(Error.Unavailable("garbage collection stopped"), [.. _answered, .. _waiting, .. _waitingDry]);
    }

    /// <inheritdoc />
    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case NamespaceChanged changed:
                OnChanged(changed);
                break;
            case Due when !_running && _mutations >= _settings.MutationThreshold:
                Run(spareFrom: null);
                break;
            case Due when !_running && _deletions > 0:
                Run(_deletedAt);
                break;
            case Due when !_running:
                Plan(Interval());
                break;
            case Due:
                break;
            case GarbageCommands.Explain explain:
                _runner.ExplainAsync(explain, _stopping.Token).PipeTo(Sender);
                break;
            case GarbageCommands.Run when _waiting.Count + _waitingDry.Count >= _settings.WaitingMax:
                Refuse(
                    new Error(ErrorKind.ResourceExhausted, $"garbage collection: {_waiting.Count + _waitingDry.Count} requests wait ({GarbageCollectionSettings.Path}.waiting-max)"),
                    [Sender]);
                break;
            case GarbageCommands.Run run:
                (run.IsDry ? _waitingDry : _waiting).Add(Sender);
                if (!_running)
                {
                    RunForThoseWhoWait();
                }

                break;
            case Reply<GarbageRun> outcome when _running:
                OnEnded(outcome);
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    private void OnChanged(NamespaceChanged changed)
    {
        _mutations++;
        if (!changed.IsDeletion)
        {
            return;
        }

        _deletions++;
        _deletedAt = changed.At;
        if (_settings.DeletionThreshold > 0 && _deletions == _settings.DeletionThreshold && !_running)
        {
            Plan(_settings.ScheduleDelay);
        }
    }

    private void Run(DateTimeOffset? spareFrom)
    {
        Timers.Cancel(Due.Timer);
        (_answered, _waiting) = (_waiting, []);
        (_deletions, _mutations, _running, _isDry) = (0, 0, true, false);
        _runner.RunAsync(isDry: false, spareFrom, _stopping.Token).PipeTo(Self);
    }

    // A dry run is told of what is there after those that remove.
    private void RunForThoseWhoWait()
    {
        if (_waiting.Count > 0)
        {
            Run(spareFrom: null);
            return;
        }

        Timers.Cancel(Due.Timer);
        (_answered, _waitingDry) = (_waitingDry, []);
        (_running, _isDry) = (true, true);
        _runner.RunAsync(isDry: true, spareFrom: null, _stopping.Token).PipeTo(Self);
    }

    private void OnEnded(Reply<GarbageRun> outcome)
    {
        _running = false;
        foreach (IActorRef requester in _answered)
        {
            requester.Tell(outcome);
        }

        _answered = [];
        switch (outcome)
        {
            case Reply<GarbageRun> when _isDry:
                break;
            case Done<GarbageRun> done:
                _marking += done.Result.Marking;
                _runs++;
                _log.Debug("garbage collection: {0} records, {1}, {2}, mounts {3}", done.Result.Removed, done.Result.Content, done.Result.Snapshots, done.Result.Mounts);
                break;
            case Refused<GarbageRun> refused:
                // What made the run worth it still does.
                _deletions++;
                _log.Warning("garbage collection: {0}", refused.Error.Text);
                break;
        }

        if (_waiting.Count + _waitingDry.Count > 0)
        {
            RunForThoseWhoWait();
        }
        else
        {
            Plan(_settings.DeletionThreshold > 0 && _deletions >= _settings.DeletionThreshold && outcome is Done<GarbageRun>
                ? _settings.ScheduleDelay
                : Interval());
        }
    }

    // A mark that takes the mean of all and a pause of this length make up the allowed share of time. As in containerd the sweep
    // does not count: it holds up nobody, and where disks are slow the next run, and all that waits for it, would be put off for long.
    private TimeSpan Interval()
    {
        TimeSpan mean = _runs == 0 ? TimeSpan.Zero : _marking / _runs;
        mean = mean > _settings.RunMin ? mean : _settings.RunMin;
        return (mean / _settings.PauseThreshold) - mean;
    }

    private void Plan(TimeSpan pause) => Timers.StartSingleTimer(Due.Timer, Due.Now, pause);

    private static void Refuse(Error error, IEnumerable<IActorRef> requesters)
    {
        foreach (IActorRef requester in requesters)
        {
            requester.Tell(Reply.Refused<GarbageRun>(error));
        }
    }

    private sealed record Due
    {
        public const string Timer = "due";

        public static readonly Due Now = new();
    }
}
