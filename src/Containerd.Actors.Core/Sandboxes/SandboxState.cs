// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Sandboxes;

namespace Containerd.Actors.Core.Sandboxes;

/// <summary>Where stands what a sandbox runs in.</summary>
public enum SandboxPhase
{
    /// <summary>There is nothing.</summary>
    Absent,

    /// <summary>A controller is making it.</summary>
    Creating,

    /// <summary>It waits to be started.</summary>
    Created,

    /// <summary>The controller is starting it.</summary>
    Starting,

    /// <summary>It runs.</summary>
    Running,

    /// <summary>It ended; what serves it is still there.</summary>
    Exited,

    /// <summary>What serves it is being ended.</summary>
    ShuttingDown,
}

/// <summary>A sandbox as a fold of its events: its record, and what runs.</summary>
/// <remarks>
/// <code>
/// record:  (none) --Create--> record --Update--> record --Delete--> (none)
/// run:     absent --Create--> creating --> created --Start--> starting --> running --exit--> exited
///            ^                   |            |                  |            |                |
///            +----- failed ------+------------+---- failed ------+            +--- Shutdown ---+--> shutting down --> absent
/// </code>
/// The two halves know of each other only that the entity ends when both are gone, as containerd's store and controllers do.
/// </remarks>
/// <param name="Namespace">Namespace of the sandbox.</param>
/// <param name="Id">Id of the sandbox.</param>
public sealed partial record SandboxState(string Namespace, string Id)
{
    private const uint StatusUnknown = 255;

    /// <summary>The record; null while there is none.</summary>
    public SandboxRecord? Record { get; private init; }

    /// <summary>Where stands what runs.</summary>
    public SandboxPhase Phase { get; private init; }

    /// <summary>The controller that runs it; empty while there is nothing.</summary>
    public string Sandboxer { get; private init; } = "";

    /// <summary>Runtime it runs with.</summary>
    public string RuntimeName { get; private init; } = "";

    /// <summary>Where its task API is reached; empty for none.</summary>
    public string Address { get; private init; } = "";

    /// <summary>Version of that API.</summary>
    public uint Version { get; private init; }

    /// <summary>Id of its first process; 0 while it does not run.</summary>
    public uint Pid { get; private init; }

    /// <summary>When what runs was made; null until it was started.</summary>
    public DateTimeOffset? StartedAt { get; private init; }

    /// <summary>How it ended; null while it has not.</summary>
    public SandboxExit? Exit { get; private init; }

    /// <summary>True when neither a record nor anything that runs is left.</summary>
    public bool IsGone => Record is null && Phase == SandboxPhase.Absent;

    /// <summary>True when a controller may be asked about it.</summary>
    public bool IsThere => Phase is not (SandboxPhase.Absent or SandboxPhase.Creating);

    /// <summary>The state after one more event; total, so that any history can be folded.</summary>
    public SandboxState Apply(DomainEvent e) => e switch
    {
        SandboxEvents.Created created => this with { Record = created.Sandbox },
        SandboxEvents.Updated updated => this with { Record = updated.Sandbox },
        SandboxEvents.Deleted => this with { Record = null },
        SandboxEvents.RunRequested requested => WithoutRun with
        {
            Phase = SandboxPhase.Creating, Sandboxer = requested.Sandboxer, RuntimeName = requested.RuntimeName,
        },
        SandboxEvents.RunCreated created => this with { Phase = SandboxPhase.Created, Address = created.Address, Version = created.Version },
        SandboxEvents.StartRequested => this with { Phase = SandboxPhase.Starting },
        SandboxEvents.Started started => this with { Phase = SandboxPhase.Running, Pid = started.Pid, StartedAt = started.CreatedAt },
        SandboxEvents.Exited exited => this with
        {
            Phase = Phase == SandboxPhase.ShuttingDown ? SandboxPhase.ShuttingDown : SandboxPhase.Exited,
            Exit = new SandboxExit(exited.Status, exited.ExitedAt),
        },
        SandboxEvents.ShutdownRequested => this with { Phase = SandboxPhase.ShuttingDown },
        SandboxEvents.RunFailed or SandboxEvents.ShutDown or SandboxEvents.Lost => WithoutRun,
        _ => this,
    };

    private SandboxState WithoutRun => new(Namespace, Id) { Record = Record };

    private bool IsLastRun => Record is null;

    private Error NotFound => Error.NotFound($"sandbox {Id}");
}

/// <summary>What follows from a request for a controller: events to store, then a refusal or going on to the controller.</summary>
/// <param name="Events">Stored together or not at all.</param>
/// <param name="Refusal">Why not; null to go on.</param>
public sealed record SandboxStep(ImmutableArray<DomainEvent> Events, Error? Refusal = null)
{
    /// <summary>Go on once these events are stored.</summary>
    public static SandboxStep GoOn(params ImmutableArray<DomainEvent> events) => new(events);

    /// <summary>Refused; nothing is stored.</summary>
    public static SandboxStep Refused(Error error) => new([], error);
}
