// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Containers;
using Containerd.Actors.Protocol.Containers;
using Containerd.Actors.Protocol.Values;

namespace Containerd.Actors.Persistence.Stored;

/// <summary>Stored forms of <see cref="ContainerEvents"/>.</summary>
internal static class ContainerForms
{
    public static IReadOnlyList<EventForm> All { get; } =
    [
        EventForm.Of("container.created:1", V1.ContainerCreated.Parser,
            (ContainerEvents.Created e) => new V1.ContainerCreated { Container = Write(e.Container) },
            m => new ContainerEvents.Created(Read(m.Container))),
        EventForm.Of("container.updated:1", V1.ContainerUpdated.Parser,
            (ContainerEvents.Updated e) => new V1.ContainerUpdated { Container = Write(e.Container) },
            m => new ContainerEvents.Updated(Read(m.Container))),
        EventForm.Of("container.deleted:1", V1.ContainerDeleted.Parser,
            (ContainerEvents.Deleted _) => new V1.ContainerDeleted(),
            _ => new ContainerEvents.Deleted()),
    ];

    private static V1.StoredContainer Write(ContainerRecord container)
    {
        V1.StoredContainer stored = new()
        {
            Id = container.Id,
            Image = container.Image,
            RuntimeName = container.RuntimeName,
            RuntimeOptions = Values.Any(container.RuntimeOptions),
            Spec = Values.Any(container.Spec),
            Snapshotter = container.Snapshotter,
            SnapshotKey = container.SnapshotKey,
            Sandbox = container.Sandbox,
            CreatedAt = Values.Time(container.CreatedAt),
            UpdatedAt = Values.Time(container.UpdatedAt),
        };
        foreach ((string key, AnyValue value) in container.Extensions)
        {
            stored.Extensions.Add(key, Values.Any(value));
        }

        return stored.WithLabels(stored.Labels, container.Labels);
    }

    private static ContainerRecord Read(V1.StoredContainer? stored)
    {
        if (stored is null)
        {
            throw new FormatException("the container is missing");
        }

        ContainerRecord empty = new(stored.Id);
        return empty with
        {
            Labels = Labels.From(stored.Labels),
            Image = stored.Image,
            RuntimeName = stored.RuntimeName,
            RuntimeOptions = Values.Any(stored.RuntimeOptions),
            Spec = Values.Any(stored.Spec),
            Snapshotter = stored.Snapshotter,
            SnapshotKey = stored.SnapshotKey,
            Extensions = empty.Extensions.SetItems(stored.Extensions.Select(pair => KeyValuePair.Create(pair.Key, Values.Any(pair.Value)!))),
            Sandbox = stored.Sandbox,
            CreatedAt = Values.Time(stored.CreatedAt),
            UpdatedAt = Values.Time(stored.UpdatedAt),
        };
    }
}
