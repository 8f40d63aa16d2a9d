// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Akka.Actor;
using Akka.Event;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.Linux;
using Containerd.Actors.Core.Sandboxes;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Sandboxes;
using Containerd.Actors.Shims;
using Containerd.Actors.Supervision.Namespaces.Containers;
using Containerd.Actors.Supervision.Namespaces.Sandboxes.Sandboxers;
using Error = Containerd.Actors.Protocol.Errors.Error;

namespace Containerd.Actors.Supervision.Namespaces.Sandboxes;

// What runs: asked through its controller, each call by itself with a deadline, and what came of it recorded.
internal sealed partial class SandboxActor
{
    // The order is the contract: journal, memory, world, caller. A crash between any two is safe, because recovery asks what is true.
    private void Control(IForSandboxer command)
    {
        SandboxStep step = Decided.Decide(command);
        IActorRef replyTo = Sender;
        _isBusy |= step.Refusal is null && command is SandboxControl.Create or SandboxControl.Start or SandboxControl.Shutdown;
        Record(
            step.Events,
            command.By,
            () =>
            {
                if (step.Refusal is { } error)
                {
                    replyTo.Refuse(command, error);
                    GoIfIdle();
                }
                else
                {
                    GoOn(new Asked(command, replyTo));
                }
            },
            error => replyTo.Refuse(command, error));
    }

    private void GoOn(Asked asked)
    {
        switch (asked.Command)
        {
            case SandboxControl.Create create: Create(asked, create); break;
            case SandboxControl.Start: Start(asked); break;
            case SandboxControl.Shutdown: ShutDown(asked); break;
            case SandboxControl.Update: asked.ReplyTo.Tell(Reply.Done()); break;
            case SandboxControl.Stop stop: Ask(
                asked, "Stop", on.Settings.CallTimeout + TimeSpan.FromSeconds(stop.TimeoutSeconds), "call-timeout", StopAsync(stop)); break;
            case SandboxControl.Platform: Question(asked, "Platform", (sandbox, token) => sandbox.PlatformAsync(token)); break;
            case SandboxControl.Metrics: Question(asked, "Metrics", (sandbox, token) => sandbox.MetricsAsync(token)); break;
            case SandboxControl.Status status: Question(asked, "Status", (sandbox, token) => sandbox.StatusAsync(status.IsVerbose, token)); break;
        }
    }

    private void OnSignal(object message)
    {
        switch (message)
        {
            case Made made: OnMade(made); break;
            case Ran ran: OnRan(ran); break;
            case TakenBack taken: OnTakenBack(taken); break;
            case ShutDownEnded ended: OnShutDown(ended); break;
            case Found found: OnFound(found); break;
            case Told told: OnTold(told); break;
            case FindAgain: AskWhatIsTrue(); break;
            case CleanedUp cleaned: OnCleanedUp(cleaned); break;
            case CleanUpAgain again: Lose(again.Reason, again.Attempt); break;
            case WaitEnded { Exit: { } exit } ended when ReferenceEquals(ended.Sandbox, _sandbox): Record(Caller.Kernel, Decided.AfterExit(exit)); break;
            case WaitEnded: break;
            case ConnectionClosed closed when ReferenceEquals(closed.Sandbox, _sandbox) && !_isBusy: Lose("the connection was closed", 1); break;
            case ConnectionClosed: break;
            default: Unhandled(message); break;
        }
    }

    private ISandboxer Sandboxer(string name) => on.Sandboxers[name];

    private void Create(Asked asked, SandboxControl.Create create)
    {
        SandboxRecord sandbox = create.Sandbox ?? Stored.Record ?? new SandboxRecord(id);
        Run(
            token => Sandboxer(create.Sandboxer).CreateAsync(create, sandbox, token),
            made => new Made(asked, made, null),
            error => new Made(asked, null, error),
            "Create",
            on.Settings.CreateTimeout,
            "create-timeout");
    }

    private void OnMade(Made made)
    {
        if (made.Sandbox is { } sandbox)
        {
            Connect(sandbox);
            Conclude(Decided.AfterCreate(sandbox.Address, sandbox.Version), made.Asked, Reply.Done());
        }
        else
        {
            Conclude(Decided.AfterFailure(made.Error!), made.Asked, Reply.Refused<Nothing>(made.Error!));
        }
    }

    private void Start(Asked asked)
    {
        ISandbox? sandbox = _sandbox;
        Run(
            token => sandbox is null ? Gone<SandboxStart>() : sandbox.StartAsync(token),
            started => new Ran(asked, started, null),
            error => new Ran(asked, null, error),
            "Start",
            on.Settings.CreateTimeout,
            "create-timeout");
    }

    private void OnRan(Ran ran)
    {
        if (ran.Start is { } start)
        {
            Conclude(Decided.AfterStart(start.Pid, start.CreatedAt), ran.Asked, Reply.Done(start));
            Await();
            return;
        }

        TakeBack(ran.Asked, ran.Error!);
    }

    // What could not be started, or was being made or started when the daemon was killed, is taken back: nobody was told of it.
    private void TakeBack(Asked? asked, Error error)
    {
        Disconnect();
        CleanUp(taken => new TakenBack(asked, error), failure => new TakenBack(asked, error.While($"not taken back: {failure.Text}")));
    }

    private void OnTakenBack(TakenBack taken) => Conclude(
        Decided.AfterFailure(taken.Error),
        taken.Asked,
        Reply.Refused<SandboxStart>(taken.Error.While($"failed to start sandbox \"{id}\"")));

    private void ShutDown(Asked? asked)
    {
        ISandbox? sandbox = _sandbox;
        ISandboxer sandboxer = Sandboxer(Stored.Sandboxer);
        string runtime = Stored.RuntimeName;
        Run(
            async token =>
            {
                if (sandbox is not null)
                {
                    await sandbox.ShutdownAsync(token).ConfigureAwait(false);
                }
                else
                {
                    await sandboxer.CleanUpAsync(Namespace, id, runtime, token).ConfigureAwait(false);
                }

                return Nothing.Value;
            },
            _ => new ShutDownEnded(asked, null),
            error => new ShutDownEnded(asked, error),
            "Shutdown",
            on.Settings.CallTimeout,
            "call-timeout");
    }

    private void OnShutDown(ShutDownEnded ended)
    {
        if (ended.Error is { } error)
        {
            Conclude([], ended.Asked, Reply.Refused<Nothing>(error));
            return;
        }

        Disconnect();
        Conclude(Decided.AfterShutdown(Time.GetUtcNow()), ended.Asked, Reply.Done());
    }

    private void Lose(string reason, int attempt)
    {
        _isBusy = true;
        Disconnect();
        CleanUp(exit => new CleanedUp(reason, attempt, exit, null), error => new CleanedUp(reason, attempt, null, error));
    }

    private void OnCleanedUp(CleanedUp cleaned)
    {
        if (cleaned.Error is not null && cleaned.Attempt < CleanUpAttemptsMax)
        {
            Timers.StartSingleTimer("again", new CleanUpAgain(cleaned.Reason, cleaned.Attempt + 1), on.Settings.ReconnectInterval);
            return;
        }

        string reason = cleaned.Error is { } error ? $"{cleaned.Reason}; clean-up failed: {error.Text}" : cleaned.Reason;
        Conclude<Nothing>(Decided.AfterLoss(reason, cleaned.Exit ?? new SandboxExit(StatusUnknown, Time.GetUtcNow())), null, null);
    }

    // Recovery never repeats a deed blindly: it asks what is there.
    private void AskWhatIsTrue()
    {
        if (Stored.Phase == SandboxPhase.Absent)
        {
            GoIfIdle();
            return;
        }

        _isBusy = true;
        if (!on.Sandboxers.TryGetValue(Stored.Sandboxer, out ISandboxer? sandboxer))
        {
            Conclude<Nothing>(
                Decided.AfterLoss($"nobody runs sandboxes as {Stored.Sandboxer}", new SandboxExit(StatusUnknown, Time.GetUtcNow())), null, null);
        }
        else if (Stored.Phase == SandboxPhase.Creating)
        {
            TakeBack(null, Error.Unavailable("creation was interrupted and taken back"));
        }
        else
        {
            Run(
                token => sandboxer.LoadAsync(Namespace, id, token),
                sandbox => new Found(sandbox, null),
                error => new Found(null, error),
                "Ping",
                on.Settings.ConnectTimeout,
                "connect-timeout");
        }
    }

    private void OnFound(Found found)
    {
        switch (found)
        {
            case { Error: { } error }:
                RefuseHeld(error);
                on.Log.Warning("sandbox {0} in {1} does not answer: {2}", id, Namespace, error.Text);
                Timers.StartSingleTimer("again", new FindAgain(), on.Settings.ReconnectInterval);
                break;
            case { Sandbox: null } when Decided.Phase == SandboxPhase.ShuttingDown:
                ShutDown(null);
                break;
            case { Sandbox: null }:
                Lose($"nobody answers for sandbox {id}", 1);
                break;
            case { Sandbox: { } sandbox } when Decided.Phase == SandboxPhase.ShuttingDown:
                Connect(sandbox);
                ShutDown(null);
                break;
            case { Sandbox: { } sandbox } when Decided.Phase == SandboxPhase.Starting:
                Connect(sandbox);
                Run(
                    token => sandbox.StatusAsync(false, token),
                    status => new Told(status),
                    error => new Told(new SandboxStatus(id)),
                    "Status",
                    on.Settings.QueryTimeout,
                    "query-timeout");
                break;
            case { Sandbox: { } sandbox }:
                Connect(sandbox);
                Conclude<Nothing>([], null, null);
                Await();
                break;
        }
    }

    // One without a process has no number; one that has ended since is not ready.
    private void OnTold(Told told)
    {
        if (told.Status is { Pid: > 0 } or { State: "SANDBOX_READY" })
        {
            Conclude<Nothing>(Decided.AfterStart(told.Status.Pid, told.Status.CreatedAt ?? Time.GetUtcNow()), null, null);
            Await();
        }
        else
        {
            TakeBack(null, Error.Unavailable("start was interrupted and taken back"));
        }
    }

    private void Connect(ISandbox sandbox)
    {
        _sandbox = sandbox;
        sandbox.Closed.PipeTo(Self, success: () => new ConnectionClosed(sandbox), failure: _ => new ConnectionClosed(sandbox));
    }

    private void Disconnect()
    {
        if (_sandbox is { } sandbox)
        {
            _sandbox = null;
            _ = sandbox.DisposeAsync().AsTask();
        }
    }

    // Answered when the sandbox ends, hence without a deadline; asked whether or not anybody waits, so that every end is recorded.
    private void Await()
    {
        if (_sandbox is { } sandbox && Decided is { StartedAt: not null, Exit: null })
        {
            Run<SandboxExit>(sandbox.WaitAsync, exit => new WaitEnded(sandbox, exit), _ => new WaitEnded(sandbox, null), "Wait");
        }
    }

    private static Func<ISandbox?, CancellationToken, Task<Nothing>> StopAsync(SandboxControl.Stop stop) => async (sandbox, token) =>
    {
        await (sandbox?.StopAsync(stop.TimeoutSeconds, token) ?? Task.CompletedTask).ConfigureAwait(false);
        return Nothing.Value;
    };

    private void Question<T>(Asked asked, string what, Func<ISandbox, CancellationToken, Task<T>> ask) => Ask(
        asked, what, on.Settings.QueryTimeout, "query-timeout", (sandbox, token) => sandbox is null ? Gone<T>() : ask(sandbox, token));

    private void Ask<T>(Asked asked, string what, TimeSpan within, string key, Func<ISandbox?, CancellationToken, Task<T>> ask)
    {
        ISandbox? sandbox = _sandbox;
        Run(
            token => ask(sandbox, token),
            answer => Reply.Done(answer),
            error => Reply.Refused<T>(error),
            what,
            within,
            key,
            asked.ReplyTo);
    }

    private void CleanUp(Func<SandboxExit, object> done, Func<Error, object> failed)
    {
        ISandboxer sandboxer = Sandboxer(Decided.Sandboxer);
        string runtime = Decided.RuntimeName;
        Run(token => sandboxer.CleanUpAsync(Namespace, id, runtime, token), done, failed, "Delete", on.Settings.CleanUpTimeout, "clean-up-timeout");
    }

    // The end of what goes one after the other: the facts are stored, the client is answered, and what waited goes on.
    private void Conclude<T>(ImmutableArray<DomainEvent> facts, Asked? asked, Reply<T>? reply) => Record(
        facts,
        asked?.Command.By ?? Caller.Kernel,
        () =>
        {
            if (reply is not null)
            {
                asked?.ReplyTo.Tell(reply);
            }

            Free();
        },
        error =>
        {
            if (asked is not null)
            {
                asked.ReplyTo.Refuse(asked.Command, error);
            }
        });

    private void Free()
    {
        _isBusy = false;
        while (_held.TryDequeue(out (object Message, IActorRef Sender) held))
        {
            Self.Tell(held.Message, held.Sender);
        }

        if (_sandbox is { Closed.IsCompleted: true })
        {
            Lose("the connection was closed", 1);
        }

        GoIfIdle();
    }

    private void RefuseHeld(Error error)
    {
        while (_held.TryDequeue(out (object Message, IActorRef Sender) held))
        {
            held.Sender.Refuse(held.Message, error);
        }
    }

    private Task<T> Gone<T>() => Task.FromException<T>(new RefusedException(Error.Unavailable($"sandbox {id} was lost")));

    private void Run<T>(
        Func<CancellationToken, Task<T>> work,
        Func<T, object> done,
        Func<Error, object> failed,
        string what,
        TimeSpan? within = null,
        string key = "",
        IActorRef? to = null)
    {
        CancellationToken stopping = _stopping.Token;
        RunAsync().PipeTo(to ?? Self, Self);

        async Task<object> RunAsync()
        {
            using CancellationTokenSource deadline = within is { } limit ? new(limit, on.Time) : new();
            using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, stopping);
            try
            {
                return done(await work(either.Token).ConfigureAwait(false));
            }
            catch (RefusedException refused)
            {
                return failed(deadline.IsCancellationRequested ? NoAnswer(what, within!.Value, key) : refused.Error);
            }
            catch (OperationCanceledException)
            {
                return failed(deadline.IsCancellationRequested ? NoAnswer(what, within!.Value, key) : Error.Unavailable($"sandbox {id}: given up"));
            }
            catch (Exception e) when (e is ShimClosedException or IOException or UnauthorizedAccessException or LinuxException or InvalidOperationException)
            {
                return failed(Error.Unknown(e.Message));
            }
        }
    }

    private Error NoAnswer(string what, TimeSpan within, string key) => new(
        ErrorKind.DeadlineExceeded, $"sandbox {id} did not answer {what} within {within.TotalSeconds:0.###} s ({SandboxesSettings.Root}.{key})");

    private sealed record Asked(IForSandboxer Command, IActorRef ReplyTo);

    private sealed record Made(Asked Asked, ISandbox? Sandbox, Error? Error);

    private sealed record Ran(Asked Asked, SandboxStart? Start, Error? Error);

    private sealed record TakenBack(Asked? Asked, Error Error);

    private sealed record ShutDownEnded(Asked? Asked, Error? Error);

    private sealed record Found(ISandbox? Sandbox, Error? Error);

    private sealed record Told(SandboxStatus Status);

    private sealed record FindAgain;

    private sealed record CleanedUp(string Reason, int Attempt, SandboxExit? Exit, Error? Error);

    private sealed record CleanUpAgain(string Reason, int Attempt);

    private sealed record WaitEnded(ISandbox Sandbox, SandboxExit? Exit);

    private sealed record ConnectionClosed(ISandbox Sandbox);
}
