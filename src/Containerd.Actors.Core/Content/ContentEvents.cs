// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Oci.Images;

namespace Containerd.Actors.Core.Content;

/// <summary>A blob as one namespace sees it. The bytes are shared between namespaces; this is not.</summary>
/// <param name="Digest">Its name.</param>
/// <param name="Size">Bytes.</param>
/// <param name="Labels">Labels of this namespace.</param>
/// <param name="CreatedAt">When it became visible here.</param>
/// <param name="UpdatedAt">When its labels last changed.</param>
public sealed record ContentRecord(
    Digest Digest,
    long Size,
    ImmutableSortedDictionary<string, string> Labels,
    DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt);

/// <summary>What can happen to content in a namespace.</summary>
public static class ContentEvents
{
    /// <summary>The blob is complete, verified and visible here.</summary>
    public sealed record Added(ContentRecord Content) : DomainEvent;

    /// <summary>Its labels are these now.</summary>
    public sealed record Updated(ContentRecord Content) : DomainEvent;

    /// <summary>It is no longer visible here; the bytes go when no namespace sees them.</summary>
    public sealed record Removed(Digest Digest) : DomainEvent;
}
