// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.Masks;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Protocol.Containers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;

namespace Containerd.Actors.Core.Containers;

/// <summary>A container's record as a fold of its events, and what may be done to it.</summary>
/// <param name="Namespace">Namespace of the container.</param>
/// <param name="Id">Id of the container.</param>
/// <param name="Record">The record; null while there is none.</param>
public sealed record ContainerState(string Namespace, string Id, ContainerRecord? Record = null)
{
    /// <summary>The refusal of requests for a container that does not exist.</summary>
    public static Error Missing(string ns, string id) => Error.NotFound($"container \"{id}\" in namespace \"{ns}\"");

    /// <summary>Whether a record may be made, and as what.</summary>
    /// <param name="command">The request.</param>
    /// <param name="now">When; becomes both times of the record.</param>
    public Decision<ContainerRecord> Decide(ContainerCommands.Create command, DateTimeOffset now)
    {
        ContainerRecord wanted = command.Container with
        {
            Labels = LabelRules.Kept(command.Container.Labels), CreatedAt = now, UpdatedAt = now,
        };
        if (Validate(wanted) is { } error)
        {
            return Decision.Refused<ContainerRecord>(error.While("create container failed validation"));
        }

        return Record is null
            ? Decision.Done(wanted, new ContainerEvents.Created(wanted))
            : Decision.Refused<ContainerRecord>(Error.AlreadyExists($"container \"{Id}\""));
    }

    /// <summary>Whether the record may become what is asked.</summary>
    /// <param name="command">The request.</param>
    /// <param name="now">When; becomes the time of the last change.</param>
    public Decision<ContainerRecord> Decide(ContainerCommands.Update command, DateTimeOffset now)
    {
        if (Record is null)
        {
            return Decision.Refused<ContainerRecord>(Error.NotFound($"container \"{Id}\""));
        }

        Reply<ContainerRecord> applied = ContainerMask.Apply(Record, command.Container, command.Mask);
        if (applied is not Done<ContainerRecord> masked)
        {
            return new Decision<ContainerRecord>([], applied);
        }

        ContainerRecord updated = masked.Result with { Labels = LabelRules.Kept(masked.Result.Labels), CreatedAt = Record.CreatedAt, UpdatedAt = now };
        return Validate(updated) is { } error
            ? Decision.Refused<ContainerRecord>(error.While("update failed validation"))
            : Decision.Done(updated, new ContainerEvents.Updated(updated));
    }

    /// <summary>Whether the record may be forgotten; tasks do not matter.</summary>
    public Decision<Nothing> Decide(ContainerCommands.Delete command)
    {
        _ = command;
        return Record is null
            ? Decision.Refused<Nothing>(Error.NotFound($"container {Id}"))
            : Decision.Done(Nothing.Value, new ContainerEvents.Deleted());
    }

    /// <summary>The state after one more event.</summary>
    public ContainerState Apply(DomainEvent e) => e switch
    {
        ContainerEvents.Created created => this with { Record = created.Container },
        ContainerEvents.Updated updated => this with { Record = updated.Container },
        ContainerEvents.Deleted => this with { Record = null },
        _ => this,
    };

    private static Error? Validate(ContainerRecord record)
    {
        if (Identifiers.Validate(record.Id) is { } id)
        {
            return id.While("container.ID");
        }

        if (record.Extensions.ContainsKey(""))
        {
            return Error.Invalid("extension keys must not be zero-length");
        }

        if (LabelRules.Validate(record.Labels) is { } label)
        {
            return label.While("containers.Labels");
        }

        if (record.RuntimeName.Length == 0)
        {
            return Error.Invalid("container.Runtime.Name must be set");
        }

        if (record.Spec is null)
        {
            return Error.Invalid("container.Spec must be set");
        }

        return record.SnapshotKey.Length > 0 && record.Snapshotter.Length == 0
            ? Error.Invalid("container.Snapshotter must be set if container.SnapshotKey is set")
            : null;
    }
}
