// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using System.Globalization;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Tasks;

namespace Containerd.Actors.Core.Restarts;

/// <summary>What the restart monitor does about a container.</summary>
public abstract record RestartDecision
{
    private RestartDecision()
    {
    }

    /// <summary>The task is what it is to be, or nothing is asked.</summary>
    public sealed record Leave : RestartDecision;

    /// <summary>The labels cannot be followed.</summary>
    public sealed record Complain(Error Error) : RestartDecision;

    /// <summary>End the task and forget it.</summary>
    public sealed record Stop : RestartDecision;

    /// <summary>Forget the task there is, and make and start another.</summary>
    /// <param name="Policy">By which policy.</param>
    /// <param name="Count">How often it will have been restarted.</param>
    /// <param name="LogUri">Where it writes; empty for nowhere.</param>
    public sealed record Start(RestartPolicy Policy, int Count, string LogUri) : RestartDecision;

    /// <summary>The rule.</summary>
    /// <remarks>
    /// <code>
    /// wanted \ task   none      created   running   paused   stopped
    /// running         policy    policy*   leave     leave    policy
    /// stopped         leave     stop      stop      stop     leave
    /// </code>
    /// A task that is frozen runs. One that is created may be about to be started by its client: it counts as not running only when it
    /// was seen so before (*).
    /// </remarks>
    /// <param name="labels">Labels of the container.</param>
    /// <param name="task">Its task; null for none.</param>
    /// <param name="wasCreatedBefore">True when the last look found the task created too.</param>
    public static RestartDecision Of(ImmutableSortedDictionary<string, string> labels, ProcessRecord? task, bool wasCreatedBefore)
    {
        switch (labels.GetValueOrDefault(RestartLabels.Status, ""))
        {
            case "running":
                bool isLeft = task?.Status switch
                {
                    ProcessStatus.Running or ProcessStatus.Paused or ProcessStatus.Pausing => true,
                    ProcessStatus.Created => !wasCreatedBefore,
                    _ => false,
                };
                return isLeft ? new Leave() : OfPolicy(labels, task);
            case "stopped":
                return task is null or { Status: ProcessStatus.Stopped } ? new Leave() : new Stop();
            default:
                return new Leave();
        }
    }

    private static RestartDecision OfPolicy(ImmutableSortedDictionary<string, string> labels, ProcessRecord? task)
    {
        switch (RestartPolicy.Parse(labels.GetValueOrDefault(RestartLabels.Policy, "")))
        {
            case Done<RestartPolicy> { Result: { } policy } when policy.Restarts(labels, task?.Exit?.Status ?? 0):
                _ = int.TryParse(
                    labels.GetValueOrDefault(RestartLabels.Count, ""), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int count);
                return new Start(policy, count + 1, labels.GetValueOrDefault(RestartLabels.LogUri, ""));
            case Refused<RestartPolicy> refused:
                return new Complain(refused.Error);
            default:
                return new Leave();
        }
    }
}
