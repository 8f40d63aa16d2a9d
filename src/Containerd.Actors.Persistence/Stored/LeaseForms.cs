// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Leases;
using Containerd.Actors.Protocol.Values;

namespace Containerd.Actors.Persistence.Stored;

/// <summary>Stored forms of <see cref="LeaseEvents"/>.</summary>
internal static class LeaseForms
{
    public static IReadOnlyList<EventForm> All { get; } =
    [
        EventForm.Of("lease.created:1", V1.LeaseCreated.Parser,
            (LeaseEvents.Created e) =>
            {
                V1.LeaseCreated stored = new() { Id = e.Id, CreatedAt = Values.Time(e.CreatedAt) };
                return stored.WithLabels(stored.Labels, e.Labels);
            },
            m => new LeaseEvents.Created(m.Id, Labels.From(m.Labels), Values.Time(m.CreatedAt))),
        EventForm.Of("lease.deleted:1", V1.LeaseDeleted.Parser,
            (LeaseEvents.Deleted e) => new V1.LeaseDeleted { Id = e.Id },
            m => new LeaseEvents.Deleted(m.Id)),
        EventForm.Of("lease.resource-added:1", V1.LeaseResourceAdded.Parser,
            (LeaseEvents.ResourceAdded e) => new V1.LeaseResourceAdded { Id = e.Id, Resource = Write(e.Resource) },
            m => new LeaseEvents.ResourceAdded(m.Id, Read(m.Resource))),
        EventForm.Of("lease.resource-removed:1", V1.LeaseResourceRemoved.Parser,
            (LeaseEvents.ResourceRemoved e) => new V1.LeaseResourceRemoved { Id = e.Id, Resource = Write(e.Resource) },
            m => new LeaseEvents.ResourceRemoved(m.Id, Read(m.Resource))),
    ];

    private static V1.StoredLeaseResource Write(LeaseResource resource) => new() { Type = resource.Type, Id = resource.Id };

    private static LeaseResource Read(V1.StoredLeaseResource? stored) =>
        stored is null ? throw new FormatException("the resource is missing") : new LeaseResource(stored.Type, stored.Id);
}
