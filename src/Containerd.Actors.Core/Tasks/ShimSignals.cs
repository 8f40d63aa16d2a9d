// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Tasks;

namespace Containerd.Actors.Core.Tasks;

/// <summary>Something seen of a shim or through it.</summary>
public abstract record ShimSignal;

/// <summary>What can be seen of a shim. The empty exec id means the first process.</summary>
public static class ShimSignals
{
    /// <summary>Answer to <see cref="ShimRequests.Create"/>.</summary>
    public sealed record Created(uint Pid) : ShimSignal;

    /// <summary>Answer to <see cref="ShimRequests.Start"/>.</summary>
    public sealed record Started(string ExecId, uint Pid) : ShimSignal;

    /// <summary>Answer to <see cref="ShimRequests.Exec"/>.</summary>
    public sealed record ExecAdded(string ExecId, ProcessStdio Stdio, ImmutableArray<string> Arguments) : ShimSignal;

    /// <summary>Answer to <see cref="ShimRequests.Pause"/>.</summary>
    public sealed record Paused : ShimSignal;

    /// <summary>Answer to <see cref="ShimRequests.Resume"/>.</summary>
    public sealed record Resumed : ShimSignal;

    /// <summary>Answer to <see cref="ShimRequests.Update"/>; the limits as JSON.</summary>
    public sealed record Updated(string Resources) : ShimSignal;

    /// <summary>Answer to <see cref="ShimRequests.Checkpoint"/>.</summary>
    public sealed record Checkpointed(string Path) : ShimSignal;

    /// <summary>Answer to requests that leave nothing to remember.</summary>
    public sealed record Acknowledged : ShimSignal;

    /// <summary>Answer to <see cref="ShimRequests.DeleteProcess"/>.</summary>
    public sealed record ExecDeleted(string ExecId, ProcessExit Exit) : ShimSignal;

    /// <summary>Answer to <see cref="ShimRequests.Delete"/>: shim, bundle and mounts are gone.</summary>
    public sealed record Deleted(ProcessExit Exit) : ShimSignal;

    /// <summary>Answer to <see cref="ShimRequests.Undo"/>.</summary>
    public sealed record Undone : ShimSignal;

    /// <summary>The request was refused or could not be made; it had no effect.</summary>
    public sealed record Failed(ShimRequest Request, Error Error) : ShimSignal;

    /// <summary>The answer did not come in time; it may still come, and then counts.</summary>
    public sealed record Overdue(ShimRequest Request, Error Error) : ShimSignal;

    /// <summary>A process ended. May be seen several times.</summary>
    public sealed record Exited(string ExecId, uint Pid, uint Status, DateTimeOffset ExitedAt) : ShimSignal;

    /// <summary>The kernel ended a process for want of memory.</summary>
    public sealed record OutOfMemory : ShimSignal;

    /// <summary>The shim is gone and what it left was removed; whatever ran has ended.</summary>
    /// <param name="Reason">Why, for people.</param>
    /// <param name="Status">Exit status as its clean-up told it; 255 when nobody knows.</param>
    /// <param name="ExitedAt">When the first process ended, as far as anyone knows.</param>
    public sealed record Lost(string Reason, uint Status, DateTimeOffset ExitedAt) : ShimSignal;

    /// <summary>Answer to <see cref="ShimRequests.Report"/>: all processes the shim knows of those asked for.</summary>
    public sealed record Report(ImmutableArray<ProcessReport> Processes) : ShimSignal;
}

/// <summary>What a shim says of one process.</summary>
public sealed record ProcessReport(string ExecId, uint Pid, ProcessStatus Status, uint ExitStatus, DateTimeOffset? ExitedAt);
