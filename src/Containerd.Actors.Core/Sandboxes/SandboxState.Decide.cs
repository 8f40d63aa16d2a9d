// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Sandboxes;

namespace Containerd.Actors.Core.Sandboxes;

public sealed partial record SandboxState
{
    /// <summary>The refusal of requests for a record that does not exist.</summary>
    /// <remarks>The class is in the text twice, as in containerd's.</remarks>
    public static Error Missing(string id) => Error.NotFound($"bucket \"{id}\" not found: not found");

    /// <summary>Whether a record may be made, and as what.</summary>
    public Decision<SandboxRecord> Decide(SandboxCommands.Create command, DateTimeOffset now)
    {
        SandboxRecord wanted = command.Sandbox with { Labels = LabelRules.Kept(command.Sandbox.Labels), CreatedAt = now, UpdatedAt = now };
        if (Identifiers.Validate(wanted.Id) is { } invalid)
        {
            return Decision.Refused<SandboxRecord>(invalid.While("invalid sandbox ID").While("failed to validate sandbox"));
        }

        return Record is null
            ? Decision.Done(wanted, new SandboxEvents.Created(wanted))
            : Decision.Refused<SandboxRecord>(Error.AlreadyExists($"write error: sandbox bucket \"{Id}\" already exists: already exists"));
    }

    /// <summary>Whether the record may become what is asked.</summary>
    public Decision<SandboxRecord> Decide(SandboxCommands.Update command, DateTimeOffset now)
    {
        if (Record is null)
        {
            return Decision.Refused<SandboxRecord>(Missing(Id));
        }

        Reply<SandboxRecord> applied = SandboxMask.Apply(Record, command.Sandbox, command.Mask);
        if (applied is not Done<SandboxRecord> masked)
        {
            return new Decision<SandboxRecord>([], applied);
        }

        SandboxRecord updated = masked.Result with { CreatedAt = Record.CreatedAt, UpdatedAt = now };
        return Decision.Done(updated, new SandboxEvents.Updated(updated));
    }

    /// <summary>Whether the record may be forgotten; what runs does not matter.</summary>
    public Decision<Nothing> Decide(SandboxCommands.Delete command) => Record is null
        ? Decision.Refused<Nothing>(Error.NotFound($"failed to delete sandbox \"{command.SandboxId}\""))
        : Decision.Done(Nothing.Value, new SandboxEvents.Deleted(Phase == SandboxPhase.Absent));

    /// <summary>Whether a request for a controller is legal now, and what is stored before the controller is asked.</summary>
    /// <remarks>
    /// The legality table. A sandbox of another controller is one that is not there. Stopping, waiting for and asking about what is not
    /// there is answered by the actor without the controller; see <see cref="IsThere"/>.
    /// </remarks>
    public SandboxStep Decide(IForSandboxer command)
    {
        SandboxPhase phase = command is SandboxControl.Create || command.Sandboxer == Sandboxer ? Phase : SandboxPhase.Absent;
        return (command, phase) switch
        {
            (SandboxControl.Create create, SandboxPhase.Absent) => DecideCreate(create),
            (SandboxControl.Create, _) => SandboxStep.Refused(Error.AlreadyExists($"sandbox {Id} already running")),
            (_, SandboxPhase.Creating) => SandboxStep.Refused(Error.Unavailable($"sandbox {Id} is being created")),
            (SandboxControl.Start, SandboxPhase.Created) => SandboxStep.GoOn(new SandboxEvents.StartRequested()),
            (SandboxControl.Start, SandboxPhase.Absent) => CannotStart(Error.Unknown($"unable to find sandbox \"{Id}\"")),
            (SandboxControl.Start, SandboxPhase.Starting) => CannotStart(Error.Unavailable($"sandbox {Id} is being started")),
            (SandboxControl.Start, SandboxPhase.Running) => CannotStart(Error.FailedPrecondition($"sandbox {Id} runs already")),
            (SandboxControl.Start, _) => CannotStart(Error.FailedPrecondition($"sandbox {Id} has ended")),
            (SandboxControl.Stop, SandboxPhase.Absent) => SandboxStep.GoOn(),
            (SandboxControl.Stop stop, _) => SandboxStep.GoOn(new SandboxEvents.StopRequested(stop.TimeoutSeconds)),
            (SandboxControl.Status, _) => SandboxStep.GoOn(),
            (_, SandboxPhase.Absent) => SandboxStep.Refused(NotFound),
            (SandboxControl.Shutdown, SandboxPhase.ShuttingDown) => SandboxStep.GoOn(),
            (SandboxControl.Shutdown, _) => SandboxStep.GoOn(new SandboxEvents.ShutdownRequested()),
            (_, SandboxPhase.ShuttingDown) => SandboxStep.Refused(Error.Unavailable($"sandbox {Id} is being shut down")),
            _ => SandboxStep.GoOn(),
        };
    }

    /// <summary>The facts after the controller made it, or could not.</summary>
    public ImmutableArray<DomainEvent> AfterCreate(string address, uint version) =>
        Phase == SandboxPhase.Creating ? [new SandboxEvents.RunCreated(address, version)] : [];

    /// <summary>The facts after what was to be made or started was taken back.</summary>
    public ImmutableArray<DomainEvent> AfterFailure(Error error) =>
        Phase is SandboxPhase.Creating or SandboxPhase.Starting ? [new SandboxEvents.RunFailed(error, IsLastRun)] : [];

    /// <summary>The facts after the controller started it; a start that was interrupted may turn out to have been done.</summary>
    public ImmutableArray<DomainEvent> AfterStart(uint pid, DateTimeOffset createdAt) =>
        Phase == SandboxPhase.Starting ? [new SandboxEvents.Started(pid, createdAt)] : [];

    /// <summary>The facts after it was seen to have ended; recorded once however often it is seen.</summary>
    public ImmutableArray<DomainEvent> AfterExit(SandboxExit exit) => StartedAt is not null && Exit is null
        ? [new SandboxEvents.Exited(exit.Status, exit.ExitedAt)]
        : [];

    /// <summary>The facts after what served it was ended on request.</summary>
    public ImmutableArray<DomainEvent> AfterShutdown(DateTimeOffset now)
    {
        if (Phase == SandboxPhase.Absent)
        {
            return [];
        }

        return StartedAt is not null && Exit is null
            ? [new SandboxEvents.Exited(StatusUnknown, now), new SandboxEvents.ShutDown(IsLastRun)]
            : [new SandboxEvents.ShutDown(IsLastRun)];
    }

    /// <summary>The facts after what served it went away by itself.</summary>
    /// <param name="reason">Why, for people.</param>
    /// <param name="exit">How it ended, as far as its clean-up told.</param>
    public ImmutableArray<DomainEvent> AfterLoss(string reason, SandboxExit exit)
    {
        if (Phase == SandboxPhase.Absent)
        {
            return [];
        }

        DomainEvent lost = new SandboxEvents.Lost(reason, IsLastRun);
        return StartedAt is not null && Exit is null
            ? [new SandboxEvents.Exited(exit.Status, exit.ExitedAt), lost]
            : [lost];
    }

    private SandboxStep DecideCreate(SandboxControl.Create create) => Identifiers.Validate(create.SandboxId) is { } invalid
        ? SandboxStep.Refused(invalid.While("invalid sandbox ID"))
        : SandboxStep.GoOn(new SandboxEvents.RunRequested(
            create.Sandboxer, (create.Sandbox ?? Record)?.RuntimeName ?? "", create.NetworkNamespace));

    private SandboxStep CannotStart(Error error) => SandboxStep.Refused(error.While($"failed to start sandbox \"{Id}\""));
}
