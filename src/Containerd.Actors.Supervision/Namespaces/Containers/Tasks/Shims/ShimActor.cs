// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Akka.Actor;
using Containerd.Actors.Core.Tasks;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Tasks;

namespace Containerd.Actors.Supervision.Namespaces.Containers.Tasks.Shims;

/// <summary>Owns the connection to the shim of one task.</summary>
/// <remarks>
/// <code>
/// apart --Create, Report, Undo--> busy --> connected --Delete, loss--> apart
///                                 | ^
///                                 +-+  a shim that does not answer is asked again and again
/// </code>
/// It decides nothing: it carries out what the task asks, each call by itself with a deadline, and tells what it sees. A frozen shim
/// holds up nobody. Losing this actor closes the connection; the shim and its processes go on.
/// </remarks>
#pragma warning disable CA1001 // Disposed in PostStop: an actor's life ends there.
internal sealed partial class ShimActor(IShims shims, ContainersSettings settings, TimeProvider time, string ns, string id)
    : UntypedActor, IWithTimers
#pragma warning restore CA1001
{
    private const int CleanUpAttemptsMax = 5;
    private const uint StatusUnknown = 255;
    private const string Keys = ContainersSettings.Root + ".shim";

    // Calls under way. True: the deadline has passed and the task knows.
    private readonly Dictionary<long, bool> _calls = [];

    // What came while the shim cannot be called.
    private readonly List<(object Message, IActorRef Sender)> _kept = [];

    // Starts under way, each with the exit seen meanwhile: the start is told first.
    private readonly Dictionary<string, ShimSignals.Exited?> _starting = new(StringComparer.Ordinal);

    // Everybody who asked for the deletion that is under way; it is asked of the shim once.
    private readonly List<ShimCall> _deletions = [];

    private readonly CancellationTokenSource _stopping = new();
    private IShim? _shim;

    /// <inheritdoc />
    public ITimerScheduler Timers { get; set; } = null!;

    internal static Props PropsOf(IShims shims, ContainersSettings settings, TimeProvider time, string ns, string id) =>
        Props.Create(() => new ShimActor(shims, settings, time, ns, id));

    protected override void OnReceive(object message) => Apart(message);

    private void Apart(object message)
    {
        switch (message)
        {
            case ShimCall { Request: ShimRequests.Create create } call: Create(call, create); break;
            case ShimCall { Request: ShimRequests.Undo undo } call: Undo(call, undo); break;
            case ShimCall { Request: ShimRequests.Report } call: Load(call); break;
            case ShimCall call: Tell(call, new ShimSignals.Failed(call.Request, NoShim)); break;
            case TaskQueries.Pids or TaskQueries.Stats: Sender.Refuse(message, NoShim); break;
            default: Always(message); break;
        }
    }

    // A shim is being made, found or cleaned up after. Calls wait; only for a shim that does not answer they are refused.
    private void Busy(object message)
    {
        switch (message)
        {
            case CreateEnded ended: EndCreate(ended); break;
            case UndoEnded { Error: null } ended: Leave(); Tell(ended.Call, new ShimSignals.Undone()); break;
            case UndoEnded ended: Again(ended.Call, ended.Error!); break;
            case LoadEnded { Shim: { } shim } ended: Connect(shim); Report(ended.Call); break;
            case LoadEnded { Error: null } ended: CleanUp($"nobody answers for bundle {shims.BundleOf(ns, id)}", ended.Call, 1); break;
            case LoadEnded ended: Again(ended.Call, ended.Error!); break;
            case ReportEnded ended: EndReport(ended); break;
            case CleanUpEnded ended: EndCleanUp(ended); break;
            case CleanUpAgain again: CleanUp(again.Reason, again.Call, again.Attempt); break;
            case Retry { Call: { Request: ShimRequests.Undo undo } call }: Undo(call, undo); break;
            case Retry retry when _shim is not null: Report(retry.Call); break;
            case Retry retry: Load(retry.Call); break;
            case ShimCall or TaskQueries.Pids or TaskQueries.Stats or TaskSignals.Forwarded: Keep(message); break;
            default: Always(message); break;
        }
    }

    private void Connected(object message)
    {
        switch (message)
        {
            case ShimCall { Request: ShimRequests.Report } call: Report(call); break;
            case ShimCall { Request: ShimRequests.Delete } call: Delete(call); break;
            case ShimCall call: Call(call); break;
            case TaskQueries.Pids: Query("Pids", _shim!.PidsAsync, static pids => pids); break;
            case TaskQueries.Stats: Query("Stats", _shim!.StatsAsync, stats => new TaskMetric(id, time.GetUtcNow(), stats)); break;
            case DeleteEnded ended: EndDelete(ended); break;
            case WaitEnded { Exit.ExitedAt: { } at } ended:
                TellExit(new ShimSignals.Exited(ended.ExecId, ended.Exit.Pid, ended.Exit.Status, at));
                break;
            case TaskSignals.Forwarded forwarded: Forwarded(forwarded); break;
            case ConnectionClosed closed when ReferenceEquals(closed.Shim, _shim) && _deletions.Count == 0:
                CleanUp("the connection was closed", null, 1);
                break;
            default: Always(message); break;
        }
    }

    private void Always(object message)
    {
        switch (message)
        {
            case CallEnded ended: EndCall(ended); break;
            case DeadlinePassed passed: Overdue(passed.Call); break;
            case Passing or TaskSignals.Forwarded: break;
            default: Unhandled(message); break;
        }
    }

    // Creation either happens or leaves nothing; hence it is the one call that is given up at its deadline.
    private void Create(ShimCall call, ShimRequests.Create create)
    {
        Become(Busy);
        Run(
            token => shims.CreateAsync(ns, create.Creation, token),
            created => new CreateEnded(call, created, null),
            error => new CreateEnded(call, null, error ?? Gone),
            "Create",
            settings.ShimCreateTimeout,
            "create-timeout");
    }

    private void EndCreate(CreateEnded ended)
    {
        if (ended.Created is not { } created)
        {
            Leave();
            Tell(ended.Call, new ShimSignals.Failed(ended.Call.Request, ended.Error!));
            return;
        }

        Connect(created.Shim);
        Tell(ended.Call, new ShimSignals.Created(created.Pid));
        Wait("");
        Flush();
    }

    private void Undo(ShimCall call, ShimRequests.Undo undo)
    {
        Become(Busy);
        Run(
            async token =>
            {
                await shims.UndoAsync(ns, id, undo.RuntimeName, token).ConfigureAwait(false);
                return Nothing.Value;
            },
            _ => new UndoEnded(call, null),
            error => new UndoEnded(call, error ?? Gone),
            "Undo",
            settings.ShimCleanUpTimeout,
            "clean-up-timeout");
    }

    private void Load(ShimCall call)
    {
        Become(Busy);
        Run(
            token => shims.LoadAsync(ns, id, token),
            shim => new LoadEnded(call, shim, null),
            error => new LoadEnded(call, null, error),
            "Connect",
            settings.ShimConnectTimeout,
            "connect-timeout");
    }

    private void Connect(IShim shim)
    {
        _shim = shim;
        Become(Connected);
        shim.Closed.PipeTo(Self, success: () => new ConnectionClosed(shim), failure: _ => new ConnectionClosed(shim));
    }

    // No call goes out meanwhile, so that what is reported is not overtaken by what is done.
    private void Report(ShimCall call)
    {
        Become(Busy);
        IShim shim = _shim!;
        ImmutableArray<string> execIds = ["", .. ((ShimRequests.Report)call.Request).ExecIds];
        Run(
            async token => (await Task.WhenAll(execIds.Select(execId => shim.StateAsync(execId, token))).ConfigureAwait(false))
                .OfType<ProcessReport>().ToImmutableArray(),
            processes => new ReportEnded(call, new ShimSignals.Report(processes), null),
            error => new ReportEnded(call, null, error),
            "State",
            settings.ShimQueryTimeout,
            "query-timeout");
    }

    private void EndReport(ReportEnded ended)
    {
        if (ended.Error is { } error)
        {
            Again(ended.Call, error);
            return;
        }

        if (ended.Report is not { } report || _shim!.Closed.IsCompleted)
        {
            CleanUp("the connection was closed", ended.Call, 1);
            return;
        }

        if (report.Processes.All(process => process.ExecId.Length > 0))
        {
            CleanUp("it does not know the task", ended.Call, 1);
            return;
        }

        Become(Connected);
        Tell(ended.Call, report);
        foreach (ProcessReport process in report.Processes)
        {
            bool mayEnd = process.Status != ProcessStatus.Stopped && (process.ExecId.Length == 0 || process.Status != ProcessStatus.Created);
            if (mayEnd)
            {
                Wait(process.ExecId);
            }
        }

        Flush();
    }

    private void Call(ShimCall call)
    {
        if (_calls.Count >= settings.ShimRequestsMax)
        {
            Tell(call, new ShimSignals.Failed(call.Request, TooMany));
            return;
        }

        if (call.Request is ShimRequests.Start start)
        {
            _starting[start.ExecId] = null;
        }

        IShim shim = _shim!;
        _calls.Add(call.Number, false);
        Timers.StartSingleTimer(call.Number, new DeadlinePassed(call), settings.ShimCallTimeout);
        Run(
            token => shim.CallAsync(call.Request, token),
            signal => new CallEnded(call, signal),
            error => new CallEnded(call, error is null ? null : new ShimSignals.Failed(call.Request, error)),
            call.Request.Name);
    }

    private void EndCall(CallEnded ended)
    {
        Timers.Cancel(ended.Call.Number);
        _calls.Remove(ended.Call.Number, out bool isLate);

        // What the loss of the shim cut off is answered by the signal of that loss.
        if (ended.Signal is { } signal)
        {
            Context.Parent.Tell(isLate ? signal : new ShimAnswer(ended.Call.Number, signal));
        }

        if (ended.Call.Request is not ShimRequests.Start start)
        {
            return;
        }

        if (_starting.Remove(start.ExecId, out ShimSignals.Exited? early) && early is not null)
        {
            Context.Parent.Tell(early);
        }

        if (ended.Signal is ShimSignals.Started && start.ExecId.Length > 0)
        {
            Wait(start.ExecId);
        }
    }

    private void Delete(ShimCall call)
    {
        _deletions.Add(call);
        _calls[call.Number] = false;
        Timers.StartSingleTimer(call.Number, new DeadlinePassed(call), settings.ShimCallTimeout);
        if (_deletions.Count == 1)
        {
            Run(_shim!.DeleteAsync, exit => new DeleteEnded(exit, null), error => new DeleteEnded(null, error), "Delete");
        }
    }

    private void EndDelete(DeleteEnded ended)
    {
        if (ended.Exit is null && ended.Error is null or { Kind: ErrorKind.NotFound })
        {
            ForgetDeletions(_ => null);
            CleanUp("it ended during deletion", null, 1);
            return;
        }

        if (ended.Exit is not null)
        {
            Leave();
        }

        ForgetDeletions(call => ended.Exit is { } exit ? new ShimSignals.Deleted(exit) : new ShimSignals.Failed(call.Request, ended.Error!));
    }

    private void ForgetDeletions(Func<ShimCall, ShimSignal?> signal)
    {
        List<ShimCall> deletions = [.. _deletions];
        _deletions.Clear();
        deletions.ForEach(call => EndCall(new CallEnded(call, signal(call))));
    }

    private void CleanUp(string reason, ShimCall? call, int attempt)
    {
        Disconnect();
        Become(Busy);
        Run(
            token => shims.CleanUpAsync(ns, id, token),
            exit => new CleanUpEnded(reason, call, attempt, exit, null),
            error => new CleanUpEnded(reason, call, attempt, null, error ?? Gone),
            "Delete",
            settings.ShimCleanUpTimeout,
            "clean-up-timeout");
    }

    private void EndCleanUp(CleanUpEnded ended)
    {
        if (ended.Exit is null && ended.Attempt < CleanUpAttemptsMax)
        {
            CleanUpAgain again = new(ended.Reason, ended.Call, ended.Attempt + 1);
            Timers.StartSingleTimer("again", again, settings.ShimReconnectInterval);
            return;
        }

        string reason = ended.Error is null ? ended.Reason : $"{ended.Reason}; clean-up failed: {ended.Error.Text}";
        Leave();
        Context.Parent.Tell(new ShimAnswer(
            ended.Call?.Number ?? 0,
            new ShimSignals.Lost(reason, ended.Exit?.Status ?? StatusUnknown, ended.Exit?.ExitedAt ?? time.GetUtcNow())));
    }

    private void Leave()
    {
        Disconnect();
        Become(Apart);
        Flush();
    }

    protected override void PostRestart(Exception reason)
    {
        base.PostRestart(reason);
        Context.Parent.Tell(new ShimRestarted());
    }

    protected override void PostStop()
    {
        _stopping.Cancel();
        _stopping.Dispose();
        Disconnect();
    }
}
