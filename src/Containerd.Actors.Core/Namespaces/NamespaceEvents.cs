// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Events;

namespace Containerd.Actors.Core.Namespaces;

/// <summary>What can happen to a namespace itself.</summary>
public static class NamespaceEvents
{
    /// <summary>It came to be, by request or by the first write in it.</summary>
    public sealed record Created(ImmutableSortedDictionary<string, string> Labels) : DomainEvent;

    /// <summary>It has exactly these labels now.</summary>
    public sealed record Updated(ImmutableSortedDictionary<string, string> Labels) : DomainEvent;

    /// <summary>It is gone. It was empty.</summary>
    public sealed record Deleted : DomainEvent
    {
        /// <inheritdoc />
        public override bool EndsEntity => true;
    }
}
