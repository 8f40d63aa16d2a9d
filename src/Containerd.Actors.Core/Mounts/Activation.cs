// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Events;

namespace Containerd.Actors.Core.Mounts;

/// <summary>A mount that the daemon made for an activation.</summary>
/// <param name="Mount">As it was mounted: its templates are filled in, its prefixes are gone.</param>
/// <param name="MountPoint">Where; for a loop device a symbolic link to it.</param>
/// <param name="MountedAt">When.</param>
public sealed record ActiveMount(Mount Mount, string MountPoint, DateTimeOffset MountedAt);

/// <summary>Mounts that the daemon holds under a name, and those that are left to whoever wants to see the file system.</summary>
/// <param name="Name">Unique in its namespace.</param>
/// <param name="Number">Number of the directory that holds the mount points; unique over all namespaces.</param>
/// <param name="Active">What the daemon mounted, in order.</param>
/// <param name="System">What is left to mount, in order; never empty.</param>
/// <param name="Labels">Labels; <c>containerd.io/gc.bref.*</c> name what keeps it.</param>
/// <param name="Lease">The lease that keeps it; empty for none.</param>
/// <param name="CreatedAt">When it was made.</param>
public sealed record Activation(
    string Name,
    long Number,
    ImmutableArray<ActiveMount> Active,
    ImmutableArray<Mount> System,
    ImmutableSortedDictionary<string, string> Labels,
    string Lease,
    DateTimeOffset CreatedAt);

/// <summary>What can happen to activations.</summary>
public static class MountEvents
{
    /// <summary>It is mounted; that came before this event was stored.</summary>
    public sealed record Activated(Activation Activation) : DomainEvent;

    /// <summary>It is no longer held; what is still mounted is unmounted by whoever asked, or by garbage collection.</summary>
    /// <param name="Name">Its name.</param>
    /// <param name="Reason">Why, unless somebody asked for it.</param>
    public sealed record Deactivated(string Name, string Reason) : DomainEvent;
}
