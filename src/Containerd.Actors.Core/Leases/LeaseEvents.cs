// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Events;

namespace Containerd.Actors.Core.Leases;

/// <summary>Something a lease keeps.</summary>
/// <param name="Type"><c>content</c>, <c>ingests</c>, <c>images</c> or <c>snapshots/SNAPSHOTTER</c>.</param>
/// <param name="Id">Digest, ingest reference, image name or snapshot key.</param>
public sealed record LeaseResource(string Type, string Id);

/// <summary>Keeps resources from garbage collection while it lasts.</summary>
/// <param name="Id">Unique in its namespace.</param>
/// <param name="Labels">Labels; <c>containerd.io/gc.expire</c> and <c>containerd.io/gc.flat</c> have meaning.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="Resources">What it keeps.</param>
public sealed record LeaseRecord(
    string Id,
    ImmutableSortedDictionary<string, string> Labels,
    DateTimeOffset CreatedAt,
    ImmutableHashSet<LeaseResource> Resources);

/// <summary>What can happen to leases.</summary>
public static class LeaseEvents
{
    /// <summary>It was made, empty.</summary>
    public sealed record Created(string Id, ImmutableSortedDictionary<string, string> Labels, DateTimeOffset CreatedAt) : DomainEvent;

    /// <summary>It is gone, by request or by expiry.</summary>
    public sealed record Deleted(string Id) : DomainEvent;

    /// <summary>It keeps one more resource.</summary>
    public sealed record ResourceAdded(string Id, LeaseResource Resource) : DomainEvent;

    /// <summary>It keeps one resource less.</summary>
    public sealed record ResourceRemoved(string Id, LeaseResource Resource) : DomainEvent;
}
