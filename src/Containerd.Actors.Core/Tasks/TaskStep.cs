// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Tasks;

namespace Containerd.Actors.Core.Tasks;

/// <summary>What follows from a request or from something seen: events to store, then something to ask of the shim or an answer.</summary>
/// <param name="Events">Stored together or not at all.</param>
/// <param name="Request">What to ask of the shim once they are stored; null for nothing.</param>
/// <param name="Answer">What to tell whoever waits for this, once they are stored; null while the shim is asked, or if nobody waits.</param>
public sealed record TaskStep(ImmutableArray<DomainEvent> Events, ShimRequest? Request = null, TaskAnswer? Answer = null)
{
    /// <summary>Nothing follows.</summary>
    public static TaskStep None { get; } = new([]);

    /// <summary>Refused; nothing is stored.</summary>
    public static TaskStep Refused(Error error) => new([], null, new TaskAnswer.Refusal(error));

    /// <summary>Ask the shim once these events are stored.</summary>
    public static TaskStep Ask(ShimRequest request, params ImmutableArray<DomainEvent> events) => new(events, request);

    /// <summary>Answer once these events are stored.</summary>
    public static TaskStep Answered(TaskAnswer answer, params ImmutableArray<DomainEvent> events) => new(events, null, answer);
}

/// <summary>An answer to a request about a task.</summary>
public abstract record TaskAnswer
{
    private TaskAnswer()
    {
    }

    /// <summary>Done, with nothing to say.</summary>
    public sealed record Done : TaskAnswer;

    /// <summary>Done; the process has this id.</summary>
    public sealed record Pid(uint Value) : TaskAnswer;

    /// <summary>Done; the process had ended like this.</summary>
    public sealed record Exit(ProcessExit Value) : TaskAnswer;

    /// <summary>Refused.</summary>
    public sealed record Refusal(Error Error) : TaskAnswer;
}
