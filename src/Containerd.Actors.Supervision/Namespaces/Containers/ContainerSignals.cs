// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Protocol.Containers;
using Containerd.Actors.Protocol.Tasks;

namespace Containerd.Actors.Supervision.Namespaces.Containers;

/// <summary>What containers and tasks tell their supervisor about themselves.</summary>
internal static class ContainerSignals
{
    /// <summary>The record of a container is this now; null when there is none.</summary>
    internal sealed record RecordChanged(string ContainerId, ContainerRecord? Record);

    /// <summary>The first process of a task is this now; null when clients can see none.</summary>
    /// <param name="ContainerId">The container.</param>
    /// <param name="Init">The first process.</param>
    /// <param name="IsAbsent">True when there is no task at all, not even one being made.</param>
    internal sealed record TaskChanged(string ContainerId, ProcessRecord? Init, bool IsAbsent);

    /// <summary>A container knows all that the journal has about it and its task.</summary>
    internal sealed record Recovered(string ContainerId);

    /// <summary>There is neither record nor task; the actor may go.</summary>
    internal sealed record Idle(string ContainerId);

    /// <summary>The supervisor keeps further messages back: go, unless something came meanwhile.</summary>
    internal sealed record Leave
    {
        internal static Leave Instance { get; } = new();
    }

    /// <summary>Something came meanwhile: the actor stays.</summary>
    internal sealed record Stays(string ContainerId);
}
