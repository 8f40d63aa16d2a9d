// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Audit;
using Containerd.Actors.Core.Events;

namespace Containerd.Actors.Persistence.Stored;

/// <summary>What can happen to the journal itself.</summary>
public static class RetentionEvents
{
    /// <summary>Persistence id under which the journal records what happens to it.</summary>
    public const string Entity = "journal";

    /// <summary>Records of an entity up to a sequence number, inclusive, were removed on request.</summary>
    public sealed record Removed(string OfEntity, long ToSequence) : DomainEvent, IDescribed
    {
        /// <inheritdoc />
        public string Describe() => $"records of {OfEntity} up to {ToSequence} were removed";
    }
}
