// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Node;

namespace Containerd.Actors.Persistence.Stored;

/// <summary>Stored forms of <see cref="NodeEvents"/>.</summary>
internal static class NodeForms
{
    public static IReadOnlyList<EventForm> All { get; } =
    [
        EventForm.Of("node.daemon-started:1", V1.NodeDaemonStarted.Parser,
            (NodeEvents.DaemonStarted e) => new V1.NodeDaemonStarted { Version = e.Version, Pid = e.Pid },
            m => new NodeEvents.DaemonStarted(m.Version, m.Pid)),
        EventForm.Of("node.daemon-stopped:1", V1.NodeDaemonStopped.Parser,
            (NodeEvents.DaemonStopped e) => new V1.NodeDaemonStopped { Pid = e.Pid },
            m => new NodeEvents.DaemonStopped(m.Pid)),
        EventForm.Of("node.published:1", V1.NodePublished.Parser,
            (NodeEvents.Published e) => new V1.NodePublished { Topic = e.Topic, Payload = Values.Any(e.Payload) },
            m => new NodeEvents.Published(m.Topic, Values.Any(m.Payload) ?? throw new FormatException("the payload is missing"))),
    ];
}
