// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Oci.Images;

namespace Containerd.Actors.Core.Images;

/// <summary>A name that points at content.</summary>
/// <param name="Name">Any non-empty text, unique in its namespace.</param>
/// <param name="Target">What it points at; platform and URLs are not kept.</param>
/// <param name="Labels">Labels.</param>
/// <param name="CreatedAt">When the name was made.</param>
/// <param name="UpdatedAt">When it was last changed.</param>
public sealed record ImageRecord(
    string Name,
    Descriptor Target,
    ImmutableSortedDictionary<string, string> Labels,
    DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt);

/// <summary>What can happen to images.</summary>
public static class ImageEvents
{
    /// <summary>The name was made.</summary>
    public sealed record Created(ImageRecord Image) : DomainEvent;

    /// <summary>The name stands for this now.</summary>
    public sealed record Updated(ImageRecord Image) : DomainEvent;

    /// <summary>The name is gone.</summary>
    public sealed record Deleted(string Name) : DomainEvent;
}
