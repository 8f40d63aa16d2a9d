// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Protocol.Sandboxes;

namespace Containerd.Actors.Supervision.Namespaces.Sandboxes;

/// <summary>What sandboxes and their supervisor tell each other.</summary>
internal static class SandboxSignals
{
    /// <summary>The record of a sandbox is this now; null when there is none.</summary>
    internal sealed record RecordChanged(string SandboxId, SandboxRecord? Record);

    /// <summary>A sandbox knows all that the journal has about it.</summary>
    internal sealed record Recovered(string SandboxId);

    /// <summary>There is neither a record nor anything that runs; the actor may go.</summary>
    internal sealed record Idle(string SandboxId);

    /// <summary>The supervisor keeps further messages back: go, unless something came meanwhile.</summary>
    internal sealed record Leave;

    /// <summary>Something came meanwhile: the actor stays.</summary>
    internal sealed record Stays(string SandboxId);
}
