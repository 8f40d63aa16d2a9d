// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Core.Events;

/// <summary>A fact about one entity, in the past tense, as the journal keeps it.</summary>
/// <remarks>
/// Events carry ids, numbers and times as data; applying one never reads a clock, fails or acts. What happened to whom, when and on
/// whose behalf is in the <see cref="Recorded"/> around it.
/// </remarks>
public abstract record DomainEvent
{
    /// <summary>True when the entity is gone after this event, so that a later one of its name starts from nothing.</summary>
    public virtual bool EndsEntity => false;
}
