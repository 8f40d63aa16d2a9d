// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Content;
using Containerd.Actors.Protocol.Values;

namespace Containerd.Actors.Persistence.Stored;

/// <summary>Stored forms of <see cref="ContentEvents"/>.</summary>
internal static class ContentForms
{
    public static IReadOnlyList<EventForm> All { get; } =
    [
        EventForm.Of("content.added:1", V1.ContentAdded.Parser,
            (ContentEvents.Added e) => new V1.ContentAdded { Content = Write(e.Content) },
            m => new ContentEvents.Added(Read(m.Content))),
        EventForm.Of("content.updated:1", V1.ContentUpdated.Parser,
            (ContentEvents.Updated e) => new V1.ContentUpdated { Content = Write(e.Content) },
            m => new ContentEvents.Updated(Read(m.Content))),
        EventForm.Of("content.removed:1", V1.ContentRemoved.Parser,
            (ContentEvents.Removed e) => new V1.ContentRemoved { Digest = e.Digest.ToString() },
            m => new ContentEvents.Removed(Values.Digest(m.Digest))),
    ];

    private static V1.StoredContent Write(ContentRecord content)
    {
        V1.StoredContent stored = new()
        {
            Digest = content.Digest.ToString(),
            Size = content.Size,
            CreatedAt = Values.Time(content.CreatedAt),
            UpdatedAt = Values.Time(content.UpdatedAt),
        };
        return stored.WithLabels(stored.Labels, content.Labels);
    }

    private static ContentRecord Read(V1.StoredContent? stored) => stored is null
        ? throw new FormatException("the content is missing")
        : new ContentRecord(
            Values.Digest(stored.Digest), stored.Size, Labels.From(stored.Labels), Values.Time(stored.CreatedAt),
            Values.Time(stored.UpdatedAt));
}
