// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Protocol.Values;

namespace Containerd.Actors.Persistence.Stored;

/// <summary>Stored forms of <see cref="NamespaceEvents"/>.</summary>
internal static class NamespaceForms
{
    public static IReadOnlyList<EventForm> All { get; } =
    [
        EventForm.Of("namespace.created:1", V1.NamespaceCreated.Parser,
            (NamespaceEvents.Created e) =>
            {
                V1.NamespaceCreated stored = new();
                return stored.WithLabels(stored.Labels, e.Labels);
            },
            m => new NamespaceEvents.Created(Labels.From(m.Labels))),
        EventForm.Of("namespace.updated:1", V1.NamespaceUpdated.Parser,
            (NamespaceEvents.Updated e) =>
            {
                V1.NamespaceUpdated stored = new();
                return stored.WithLabels(stored.Labels, e.Labels);
            },
            m => new NamespaceEvents.Updated(Labels.From(m.Labels))),
        EventForm.Of("namespace.deleted:1", V1.NamespaceDeleted.Parser,
            (NamespaceEvents.Deleted _) => new V1.NamespaceDeleted(),
            _ => new NamespaceEvents.Deleted()),
    ];
}
