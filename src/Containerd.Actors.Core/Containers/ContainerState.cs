// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using System.Text;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Protocol.Containers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Values;

namespace Containerd.Actors.Core.Containers;

/// <summary>A container's record as a fold of its events, and what may be done to it.</summary>
/// <param name="Namespace">Namespace of the container.</param>
/// <param name="Id">Id of the container.</param>
/// <param name="Record">The record; null while there is none.</param>
public sealed record ContainerState(string Namespace, string Id, ContainerRecord? Record = null)
{
    private const int LabelLengthMax = 4096;
    private const int LabelKeyShown = 64;

    /// <summary>The refusal of requests for a container that does not exist.</summary>
    public static Error Missing(string ns, string id) => Error.NotFound($"container \"{id}\" in namespace \"{ns}\"");

    /// <summary>Whether a record may be made, and as what.</summary>
    /// <param name="command">The request.</param>
    /// <param name="now">When; becomes both times of the record.</param>
    public Decision<ContainerRecord> Decide(ContainerCommands.Create command, DateTimeOffset now)
    {
        ContainerRecord wanted = command.Container with
        {
            Labels = WithoutEmpty(command.Container.Labels), CreatedAt = now, UpdatedAt = now,
        };
        if (Validate(wanted) is { } error)
        {
            return Decision.Refused<ContainerRecord>(error);
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
            return Decision.Refused<ContainerRecord>(Missing(Namespace, Id));
        }

        ContainerRecord? updated = Record;
        if (command.Mask.IsDefaultOrEmpty)
        {
            if (Immutable(Record, command.Container) is { } immutable)
            {
                return Decision.Refused<ContainerRecord>(immutable);
            }

            updated = ContainerMask.All.Aggregate(Record, (record, path) => ContainerMask.Take(record, command.Container, path)!);
        }
        else
        {
            foreach (string path in command.Mask)
            {
                updated = ContainerMask.Take(updated, command.Container, path);
                if (updated is null)
                {
                    return Decision.Refused<ContainerRecord>(Error.Invalid($"cannot update \"{path}\" field on \"{Id}\""));
                }
            }
        }

        updated = updated with { Labels = WithoutEmpty(updated.Labels), CreatedAt = Record.CreatedAt, UpdatedAt = now };
        return Validate(updated) is { } error
            ? Decision.Refused<ContainerRecord>(error)
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

        foreach ((string key, string value) in record.Labels)
        {
            int length = Encoding.UTF8.GetByteCount(key) + Encoding.UTF8.GetByteCount(value);
            if (length > LabelLengthMax)
            {
                string shown = key.Length > LabelKeyShown ? key[..LabelKeyShown] : key;
                return Error.Invalid(
                    $"label key and value length ({length} bytes) greater than maximum size ({LabelLengthMax} bytes), key: {shown}")
                    .While("containers.Labels");
            }
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

    private static Error? Immutable(ContainerRecord stored, ContainerRecord wanted)
    {
        if (wanted.Snapshotter != stored.Snapshotter)
        {
            return Error.Invalid("container.Snapshotter field is immutable");
        }

        return wanted.RuntimeName != stored.RuntimeName ? Error.Invalid("container.Runtime.Name field is immutable") : null;
    }

    private static ImmutableSortedDictionary<string, string> WithoutEmpty(ImmutableSortedDictionary<string, string> labels) =>
        labels.Values.Any(value => value.Length == 0) ? Labels.From(labels.Where(pair => pair.Value.Length > 0)) : labels;
}
