// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;

namespace Containerd.Actors.Core.Leases;

/// <summary>What follows from requests about leases.</summary>
public static class LeaseDecisions
{
    /// <summary>The lease, or its refusal.</summary>
    public static Reply<LeaseRecord> Lease(this NamespaceState state, string id) =>
        state.Leases.TryGetValue(id, out LeaseRecord? lease) ? Reply.Done(lease) : Reply.Refused<LeaseRecord>(Missing(id));

    /// <summary>Resources in the order in which they are listed: content, images, ingests, snapshots; then by id.</summary>
    public static ImmutableArray<LeaseResource> Listed(this LeaseRecord lease) =>
    [
        .. lease.Resources
            .OrderBy(resource => resource.Type, StringComparer.Ordinal)
            .ThenBy(resource => resource.Id, StringComparer.Ordinal),
    ];

    /// <summary>Makes a lease, whose id must have been given or made up.</summary>
    public static Decision<LeaseRecord> Decide(this NamespaceState state, LeaseCommands.Create command, DateTimeOffset at)
    {
        if (command.Id.Length == 0)
        {
            return Decision.Refused<LeaseRecord>(Error.Invalid("lease id must be provided"));
        }

        if (state.Leases.ContainsKey(command.Id))
        {
            return Decision.Refused<LeaseRecord>(Error.AlreadyExists($"lease \"{command.Id}\""));
        }

        ImmutableSortedDictionary<string, string> labels = LabelRules.Kept(command.Labels);
        return Decision.Done(
            new LeaseRecord(command.Id, labels, at, []), state.Opening(new LeaseEvents.Created(command.Id, labels, at)));
    }

    /// <summary>Ends a lease.</summary>
    public static Decision<Nothing> Decide(this NamespaceState state, LeaseCommands.Delete command) =>
        state.Leases.ContainsKey(command.Id)
            ? Decision.Done([new LeaseEvents.Deleted(command.Id)])
            : Decision.Refused<Nothing>(Missing(command.Id));

    /// <summary>Keeps one more resource.</summary>
    public static Decision<Nothing> Decide(this NamespaceState state, LeaseCommands.AddResource command)
    {
        if (!state.Leases.ContainsKey(command.Id))
        {
            return Decision.Refused<Nothing>(Missing(command.Id));
        }

        if (LeaseResources.Validate(command.Resource) is { } error)
        {
            return Decision.Refused<Nothing>(error);
        }

        state.Attaching(command.Id, command.Resource, out ImmutableArray<DomainEvent> events);
        return Decision.Done(events);
    }

    /// <summary>Keeps one resource less; one it does not keep is no refusal.</summary>
    public static Decision<Nothing> Decide(this NamespaceState state, LeaseCommands.RemoveResource command)
    {
        if (!state.Leases.ContainsKey(command.Id))
        {
            return Decision.Refused<Nothing>(Missing(command.Id));
        }

        return LeaseResources.Validate(command.Resource) is { } error
            ? Decision.Refused<Nothing>(error)
            : Decision.Done(state.Detaching(command.Id, command.Resource));
    }

    private static Error Missing(string id) => Error.NotFound($"lease \"{id}\"");
}
