// SPDX-License-Identifier: Apache-2.0

using Akka.Actor;
using Containerd.Actors.Core.Executor;
using Containerd.Actors.Core.Linux;
using Containerd.Actors.Protocol.Errors;

namespace Containerd.Actors.Supervision.Executor;

/// <summary>One dedicated thread: carries out one effect after the other and says what became of each.</summary>
/// <remarks>It holds nothing between two effects, so a restart loses nothing. Who waits for what is its parent's knowledge.</remarks>
internal sealed class LaneActor(IEffectRunner runner, CancellationToken givenUp) : UntypedActor
{
    /// <summary>Carry out this effect.</summary>
    internal sealed record Run(long Job, Effect Effect);

    /// <summary>What became of it; the lane is free again.</summary>
    internal sealed record Ran(long Job, Outcome Outcome);

    public static Props Props(IEffectRunner runner, CancellationToken givenUp) =>
        Akka.Actor.Props.Create(() => new LaneActor(runner, givenUp)).WithDispatcher(ExecutorSettings.LaneDispatcher);

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case Run run: OnRun(run); break;
            default: Unhandled(message); break;
        }
    }

    private void OnRun(Run run)
    {
        Outcome outcome;
        try
        {
            outcome = new Outcome.Done(run.Effect, runner.Run(run.Effect, givenUp));
        }
        catch (LinuxException failure)
        {
            outcome = new Outcome.Failed(run.Effect, failure.Error);
        }
        catch (RefusedException refusal)
        {
            outcome = new Outcome.Refused(run.Effect, refusal.Error);
        }
        catch (OperationCanceledException) when (givenUp.IsCancellationRequested)
        {
            outcome = new Outcome.Refused(run.Effect, Doing(run, ErrorKind.Canceled, "was given up"));
        }
        catch (Exception failure) when (failure is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            outcome = new Outcome.Refused(run.Effect, Doing(run, ErrorKind.Unknown, failure.Message));
        }
        catch (Exception bug)
        {
            // The owner learns of it before supervision does: nobody waits for a lane that restarts.
            Sender.Tell(new Ran(run.Job, new Outcome.Refused(run.Effect, Doing(run, ErrorKind.Internal, bug.Message))));
            throw;
        }

        Sender.Tell(new Ran(run.Job, outcome));
    }

    private static Error Doing(Run run, ErrorKind kind, string reason) => new(kind, $"{run.Effect.Call} {run.Effect.Subject}: {reason}");
}
