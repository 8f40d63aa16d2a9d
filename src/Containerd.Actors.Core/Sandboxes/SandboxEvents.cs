// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Events;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Sandboxes;

namespace Containerd.Actors.Core.Sandboxes;

/// <summary>What can happen to a sandbox: to its record, and to what runs.</summary>
/// <remarks>
/// Either half may exist without the other; an event that leaves neither says so, since only then the entity is gone. Irreversible
/// deeds are bracketed by an intent and a fact.
/// </remarks>
public static class SandboxEvents
{
    /// <summary>The record was made.</summary>
    public sealed record Created(SandboxRecord Sandbox) : DomainEvent;

    /// <summary>The record is this now.</summary>
    public sealed record Updated(SandboxRecord Sandbox) : DomainEvent;

    /// <summary>The record is gone.</summary>
    public sealed record Deleted(bool IsLast) : DomainEvent
    {
        /// <inheritdoc />
        public override bool EndsEntity => IsLast;
    }

    /// <summary>Intent: a controller is about to make what the sandbox runs in.</summary>
    public sealed record RunRequested(string Sandboxer, string RuntimeName, string NetworkNamespace) : DomainEvent;

    /// <summary>It is made and waits to be started.</summary>
    /// <param name="Address">Where its task API is reached; empty for none.</param>
    /// <param name="Version">Version of that API.</param>
    public sealed record RunCreated(string Address, uint Version) : DomainEvent;

    /// <summary>It could not be made; what had been made was taken back.</summary>
    public sealed record RunFailed(Error Error, bool IsLast) : DomainEvent
    {
        /// <inheritdoc />
        public override bool EndsEntity => IsLast;
    }

    /// <summary>Intent: the controller is about to be asked to start it.</summary>
    public sealed record StartRequested : DomainEvent;

    /// <summary>It runs.</summary>
    public sealed record Started(uint Pid, DateTimeOffset CreatedAt) : DomainEvent;

    /// <summary>Intent: the controller is about to be asked to end what runs.</summary>
    public sealed record StopRequested(uint TimeoutSeconds) : DomainEvent;

    /// <summary>It ended.</summary>
    public sealed record Exited(uint Status, DateTimeOffset ExitedAt) : DomainEvent;

    /// <summary>Intent: what serves it is about to be ended.</summary>
    public sealed record ShutdownRequested : DomainEvent;

    /// <summary>What served it is gone.</summary>
    public sealed record ShutDown(bool IsLast) : DomainEvent
    {
        /// <inheritdoc />
        public override bool EndsEntity => IsLast;
    }

    /// <summary>What served it went away by itself, and what it left was removed.</summary>
    public sealed record Lost(string Reason, bool IsLast) : DomainEvent
    {
        /// <inheritdoc />
        public override bool EndsEntity => IsLast;
    }
}
