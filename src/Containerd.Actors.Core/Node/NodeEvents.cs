// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Events;
using Containerd.Actors.Protocol.Values;

namespace Containerd.Actors.Core.Node;

/// <summary>What can happen to the node and what its clients publish.</summary>
public static class NodeEvents
{
    /// <summary>A daemon took over the root directory.</summary>
    public sealed record DaemonStarted(string Version, int Pid) : DomainEvent;

    /// <summary>The daemon was asked to stop and did.</summary>
    public sealed record DaemonStopped(int Pid) : DomainEvent;

    /// <summary>A client published an event of its own through the events service.</summary>
    public sealed record Published(string Topic, AnyValue Payload) : DomainEvent;
}
