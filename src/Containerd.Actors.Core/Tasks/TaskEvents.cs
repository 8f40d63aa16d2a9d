// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Tasks;

namespace Containerd.Actors.Core.Tasks;

/// <summary>What can happen to a task and its processes.</summary>
/// <remarks>
/// Irreversible deeds are bracketed: an intent before, a fact after. An intent without its fact tells recovery to ask the shim.
/// The empty exec id means the task's own first process.
/// </remarks>
public static class TaskEvents
{
    /// <summary>Intent: a bundle is about to be made and a shim asked to create the first process.</summary>
    public sealed record CreateRequested(string RuntimeName, string Bundle, ProcessStdio Stdio, string Checkpoint) : DomainEvent;

    /// <summary>The first process exists and waits to be started; its id is 0 when it is to be restored.</summary>
    public sealed record Created(uint Pid) : DomainEvent;

    /// <summary>Nothing was created; what had been made was taken back.</summary>
    public sealed record CreateFailed(Error Error) : DomainEvent
    {
        /// <inheritdoc />
        public override bool EndsEntity => true;
    }

    /// <summary>Intent: the shim is about to be asked to start a process.</summary>
    public sealed record StartRequested(string ExecId) : DomainEvent;

    /// <summary>The process runs.</summary>
    public sealed record Started(string ExecId, uint Pid) : DomainEvent;

    /// <summary>The process could not be started.</summary>
    public sealed record StartFailed(string ExecId, Error Error) : DomainEvent;

    /// <summary>Another process was described; it does not run yet. Environment values are not kept.</summary>
    public sealed record ExecAdded(string ExecId, ProcessStdio Stdio, ImmutableArray<string> Arguments) : DomainEvent;

    /// <summary>A further process was forgotten; it had ended or never started.</summary>
    public sealed record ExecDeleted(string ExecId) : DomainEvent;

    /// <summary>Intent: a signal is about to be sent.</summary>
    public sealed record KillRequested(string ExecId, uint Signal, bool All) : DomainEvent;

    /// <summary>All processes are frozen.</summary>
    public sealed record Paused : DomainEvent;

    /// <summary>All processes run again.</summary>
    public sealed record Resumed : DomainEvent;

    /// <summary>Limits were changed; the value is the OCI LinuxResources as JSON.</summary>
    public sealed record Updated(string Resources) : DomainEvent;

    /// <summary>An image of the processes was written.</summary>
    public sealed record Checkpointed(string Path) : DomainEvent;

    /// <summary>The kernel ended a process for want of memory.</summary>
    public sealed record OutOfMemory : DomainEvent;

    /// <summary>A process ended.</summary>
    /// <param name="ExecId">Empty for the first process.</param>
    /// <param name="Pid">Its id while it ran.</param>
    /// <param name="Status">0–255; 128 + N when signal N ended it; 255 when nobody knows.</param>
    /// <param name="ExitedAt">When, as the shim saw it.</param>
    /// <param name="Reason">What is known of why, for people: a signal that was sent and by whom, out of memory, a lost shim.</param>
    public sealed record Exited(string ExecId, uint Pid, uint Status, DateTimeOffset ExitedAt, string Reason) : DomainEvent;

    /// <summary>Intent: the shim is about to be asked to forget the task.</summary>
    public sealed record DeleteRequested : DomainEvent;

    /// <summary>The task is gone; so are shim, bundle and mounts.</summary>
    public sealed record Deleted(uint Pid, uint Status, DateTimeOffset ExitedAt) : DomainEvent
    {
        /// <inheritdoc />
        public override bool EndsEntity => true;
    }

    /// <summary>The shim went away while the task was not deleted.</summary>
    public sealed record ShimLost(string Reason) : DomainEvent;
}
