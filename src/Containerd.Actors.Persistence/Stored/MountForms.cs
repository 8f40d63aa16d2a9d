// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Protocol.Values;

namespace Containerd.Actors.Persistence.Stored;

/// <summary>Stored forms of <see cref="MountEvents"/>.</summary>
internal static class MountForms
{
    public static IReadOnlyList<EventForm> All { get; } =
    [
        EventForm.Of("mount.activated:1", V1.MountActivated.Parser,
            (MountEvents.Activated e) => new V1.MountActivated { Activation = Write(e.Activation) },
            m => new MountEvents.Activated(Read(m.Activation))),
        EventForm.Of("mount.deactivated:1", V1.MountDeactivated.Parser,
            (MountEvents.Deactivated e) => new V1.MountDeactivated { Name = e.Name, Reason = e.Reason },
            m => new MountEvents.Deactivated(m.Name, m.Reason)),
    ];

    private static V1.StoredActivation Write(Activation activation)
    {
        V1.StoredActivation stored = new()
        {
            Name = activation.Name,
            Number = activation.Number,
            Lease = activation.Lease,
            CreatedAt = Values.Time(activation.CreatedAt),
        };
        stored.Active.AddRange(activation.Active.Select(active => new V1.StoredActiveMount
        {
            Mount = Write(active.Mount),
            MountPoint = active.MountPoint,
            MountedAt = Values.Time(active.MountedAt),
        }));
        stored.System.AddRange(activation.System.Select(Write));
        return stored.WithLabels(stored.Labels, activation.Labels);
    }

    private static Activation Read(V1.StoredActivation? stored) => stored is null
        ? throw new FormatException("the activation is missing")
        : new Activation(
            stored.Name,
            stored.Number,
            [.. stored.Active.Select(active => new ActiveMount(Read(active.Mount), active.MountPoint, Values.Time(active.MountedAt)))],
            [.. stored.System.Select(Read)],
            Labels.From(stored.Labels),
            stored.Lease,
            Values.Time(stored.CreatedAt));

    private static V1.StoredMount Write(Mount mount)
    {
        V1.StoredMount stored = new() { Type = mount.Type, Source = mount.Source, Target = mount.Target };
        stored.Options.AddRange(mount.Options);
        return stored;
    }

    private static Mount Read(V1.StoredMount? stored) => stored is null
        ? throw new FormatException("a mount is missing")
        : new Mount(stored.Type, stored.Source, stored.Target, [.. stored.Options]);
}
