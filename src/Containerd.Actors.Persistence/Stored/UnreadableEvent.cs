// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Audit;
using Containerd.Actors.Core.Events;

namespace Containerd.Actors.Persistence.Stored;

/// <summary>Stands in what is read from the journal for a record that cannot be decoded; never stored, never given to an entity.</summary>
/// <param name="Manifest">The manifest of the record.</param>
/// <param name="Reason">Why it cannot be read.</param>
public sealed record UnreadableEvent(string Manifest, string Reason) : DomainEvent, IDescribed
{
    /// <inheritdoc />
    public string Describe() => $"cannot be read: {Reason}";
}
