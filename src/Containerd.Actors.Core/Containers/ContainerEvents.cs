// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Events;
using Containerd.Actors.Protocol.Containers;

namespace Containerd.Actors.Core.Containers;

/// <summary>What can happen to a container's record.</summary>
public static class ContainerEvents
{
    /// <summary>The record was made.</summary>
    public sealed record Created(ContainerRecord Container) : DomainEvent;

    /// <summary>The record is this now.</summary>
    public sealed record Updated(ContainerRecord Container) : DomainEvent;

    /// <summary>The record is gone; snapshot and image stay what they are.</summary>
    public sealed record Deleted : DomainEvent
    {
        /// <inheritdoc />
        public override bool EndsEntity => true;
    }
}
