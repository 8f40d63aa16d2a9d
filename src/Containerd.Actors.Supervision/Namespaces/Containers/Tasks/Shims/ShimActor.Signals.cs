// SPDX-License-Identifier: Apache-2.0

using Akka.Actor;
using Containerd.Actors.Core.Tasks;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Tasks;
using Containerd.Events;
using Google.Protobuf;

namespace Containerd.Actors.Supervision.Namespaces.Containers.Tasks.Shims;

// What the actor tells itself and its task, and how asynchronous work becomes a message.
internal sealed partial class ShimActor
{
    private const string ExitTopic = "/tasks/exit";
    private const string OutOfMemoryTopic = "/tasks/oom";

    private static Error NoShim { get; } = Error.Unavailable("the task has no shim");

    private Error Gone => Error.Unavailable($"shim of task {id} was lost");

    private Error TooMany => new(
        ErrorKind.ResourceExhausted, $"shim of task {id}: too many requests at once ({Keys}.requests-max = {settings.ShimRequestsMax})");

    private static void Tell(ShimCall call, ShimSignal signal) => Context.Parent.Tell(new ShimAnswer(call.Number, signal));

    private void TellExit(ShimSignals.Exited exited)
    {
        if (_starting.ContainsKey(exited.ExecId))
        {
            _starting[exited.ExecId] = exited;
        }
        else
        {
            Context.Parent.Tell(exited);
        }
    }

    private void Overdue(ShimCall call)
    {
        if (!_calls.ContainsKey(call.Number))
        {
            return;
        }

        _calls[call.Number] = true;
        Tell(call, new ShimSignals.Overdue(call.Request, NoAnswer(call.Request.Name, settings.ShimCallTimeout, "call-timeout")));
    }

    private Error NoAnswer(string what, TimeSpan within, string key) => new(
        ErrorKind.DeadlineExceeded, $"shim of task {id} did not answer {what} within {within.TotalSeconds:0.###} s ({Keys}.{key})");

    // The shim says it twice, here and to whoever waits; the task records it once.
    private void Forwarded(TaskSignals.Forwarded forwarded)
    {
        switch (forwarded.Topic)
        {
            case ExitTopic when Parse(TaskExit.Parser, forwarded) is { ExitedAt: { } at } exit:
                string execId = exit.Id == id ? "" : exit.Id;
                TellExit(new ShimSignals.Exited(execId, exit.Pid, exit.ExitStatus, at.ToDateTimeOffset()));
                break;
            case OutOfMemoryTopic:
                Context.Parent.Tell(new ShimSignals.OutOfMemory());
                break;
        }
    }

    // A shim that sends something else than it says is not worth failing for: the same exit comes as the answer to a wait.
    private static T? Parse<T>(MessageParser<T> parser, TaskSignals.Forwarded forwarded)
        where T : class, IMessage<T>
    {
        try
        {
            return parser.ParseFrom(forwarded.Payload.Value.Span);
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }

    // Answered when the process ends, hence without a deadline. A process that never ran is released without a time.
    private void Wait(string execId)
    {
        IShim shim = _shim!;
        Run(
            token => shim.WaitAsync(execId, token),
            exit => new WaitEnded(execId, exit),
            _ => new WaitEnded(execId, new ProcessExit(0, 0, null)),
            "Wait");
    }

    private void Query<T, TAnswer>(string name, Func<CancellationToken, Task<T>> ask, Func<T, TAnswer> answer) => Run(
        ask,
        told => Reply.Done(answer(told)),
        error => Reply.Refused<TAnswer>(error ?? Gone),
        name,
        settings.ShimQueryTimeout,
        "query-timeout",
        Sender);

    private void Again(ShimCall call, Error error)
    {
        RefuseKept(error);
        Context.Parent.Tell(new ShimUnreachable(error));
        Timers.StartSingleTimer("again", new Retry(call), settings.ShimReconnectInterval);
    }

    private void Keep(object message)
    {
        if (_kept.Count < settings.ShimRequestsMax)
        {
            _kept.Add((message, Sender));
        }
        else
        {
            RefuseKept(message, Sender, TooMany);
        }
    }

    // Nobody is kept waiting for a shim that may stay frozen for days.
    private void RefuseKept(Error error)
    {
        _kept.ForEach(kept => RefuseKept(kept.Message, kept.Sender, error));
        _kept.Clear();
    }

    private static void RefuseKept(object message, IActorRef sender, Error error)
    {
        if (message is ShimCall call)
        {
            Tell(call, new ShimSignals.Failed(call.Request, error));
        }
        else
        {
            sender.Refuse(message, error);
        }
    }

    private void Flush()
    {
        List<(object Message, IActorRef Sender)> kept = [.. _kept];
        _kept.Clear();
        kept.ForEach(each => Self.Tell(each.Message, each.Sender));
    }

    private void Disconnect()
    {
        _starting.Clear();
        if (_shim is { } shim)
        {
            _shim = null;
            _ = shim.DisposeAsync().AsTask();
        }
    }

    private void Run<T>(
        Func<CancellationToken, Task<T>> work,
        Func<T, object> done,
        Func<Error?, object> failed,
        string what,
        TimeSpan? within = null,
        string key = "",
        IActorRef? to = null)
    {
        CancellationToken stopping = _stopping.Token;
        RunAsync().PipeTo(to ?? Self, Self);

        // A null error means that the shim was lost.
        async Task<object> RunAsync()
        {
            using CancellationTokenSource deadline = within is { } limit ? new(limit, time) : new();
            using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, stopping);
            try
            {
                return done(await work(either.Token).ConfigureAwait(false));
            }
            catch (RefusedException refused)
            {
                return failed(deadline.IsCancellationRequested ? NoAnswer(what, within!.Value, key) : refused.Error);
            }
            catch (ShimGoneException)
            {
                return failed(null);
            }
            catch (OperationCanceledException)
            {
                return failed(deadline.IsCancellationRequested ? NoAnswer(what, within!.Value, key) : Gone);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or Core.Linux.LinuxException or InvalidOperationException)
            {
                return failed(Error.Unknown(e.Message));
            }
        }
    }

    /// <summary>What may come after nobody waits for it any more.</summary>
    private abstract record Passing;

    private sealed record CreateEnded(ShimCall Call, CreatedShim? Created, Error? Error);

    private sealed record UndoEnded(ShimCall Call, Error? Error);

    private sealed record LoadEnded(ShimCall Call, IShim? Shim, Error? Error);

    private sealed record CleanUpEnded(string Reason, ShimCall? Call, int Attempt, ProcessExit? Exit, Error? Error);

    private sealed record CleanUpAgain(string Reason, ShimCall? Call, int Attempt);

    private sealed record CallEnded(ShimCall Call, ShimSignal? Signal);

    private sealed record DeadlinePassed(ShimCall Call);

    private sealed record ReportEnded(ShimCall Call, ShimSignals.Report? Report, Error? Error) : Passing;

    private sealed record DeleteEnded(ProcessExit? Exit, Error? Error) : Passing;

    private sealed record WaitEnded(string ExecId, ProcessExit Exit) : Passing;

    private sealed record ConnectionClosed(IShim Shim) : Passing;

    private sealed record Retry(ShimCall Call) : Passing;
}
