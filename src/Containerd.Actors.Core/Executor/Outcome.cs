// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Linux;
using Containerd.Actors.Protocol.Errors;

namespace Containerd.Actors.Core.Executor;

/// <summary>Asks the executor to carry out an effect; exactly one <see cref="Outcome"/> comes back to the sender.</summary>
/// <param name="Effect">What to do.</param>
/// <param name="Deadline">From acceptance on, the wait for a lane included. Not positive means the default of the lane kind.</param>
public sealed record Execute(Effect Effect, TimeSpan Deadline = default);

/// <summary>What became of an effect.</summary>
/// <param name="Effect">The effect this answers.</param>
public abstract record Outcome(Effect Effect)
{
    /// <summary>It was done.</summary>
    /// <param name="Effect">The effect.</param>
    /// <param name="Value">What the effect promises as value, or null.</param>
    public sealed record Done(Effect Effect, object? Value = null) : Outcome(Effect);

    /// <summary>The kernel said no.</summary>
    public sealed record Failed(Effect Effect, LinuxError Error) : Outcome(Effect);

    /// <summary>It was not begun, or its runner refused it: a bound was reached, the wait for a lane was too long, or its input was bad.</summary>
    public sealed record Refused(Effect Effect, Error Error) : Outcome(Effect);

    /// <summary>The call had not returned by the deadline. It may still happen later: ask the world before trying again.</summary>
    /// <param name="Effect">The effect.</param>
    /// <param name="Call">The system call it hangs in.</param>
    /// <param name="Path">What the call is about.</param>
    /// <param name="After">How long it was waited for.</param>
    public sealed record Stuck(Effect Effect, string Call, string Path, TimeSpan After) : Outcome(Effect);

    /// <summary>The refusal a caller sees; null when the effect was done.</summary>
    public Error? Refusal => this switch
    {
        Failed failed => failed.Error.ToError(),
        Refused refused => refused.Error,
        Stuck stuck => new Error(ErrorKind.DeadlineExceeded, $"{stuck.Call} {stuck.Path}: has not returned after {stuck.After.TotalSeconds:0.###}s"),
        _ => null,
    };
}
