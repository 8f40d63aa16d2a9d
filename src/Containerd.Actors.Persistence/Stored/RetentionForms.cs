// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Persistence.Stored;

/// <summary>Stored forms of <see cref="RetentionEvents"/>.</summary>
internal static class RetentionForms
{
    public static IReadOnlyList<EventForm> All { get; } =
    [
        EventForm.Of("journal.removed:1", V1.JournalRemoved.Parser,
            (RetentionEvents.Removed e) => new V1.JournalRemoved { Entity = e.OfEntity, ToSequence = e.ToSequence },
            m => new RetentionEvents.Removed(m.Entity, m.ToSequence)),
    ];
}
