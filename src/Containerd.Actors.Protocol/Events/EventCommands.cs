// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Values;

namespace Containerd.Actors.Protocol.Events;

/// <summary>What can be asked of the event exchange.</summary>
public static class EventCommands
{
    /// <summary>Publishes a client's own event in its namespace; answered when it is stored.</summary>
    public sealed record Publish(string Namespace, string Topic, AnyValue Payload, Caller By) : IRequest<Nothing>;

    /// <summary>Takes an event from a shim or another publisher with the time it carries. Events of known tasks become signals to them.</summary>
    public sealed record Forward(string Namespace, string Topic, DateTimeOffset At, AnyValue Payload, Caller By) : IRequest<Nothing>;

    /// <summary>The sender gets every <see cref="Publication"/> of all namespaces from now on, until it stops.</summary>
    public sealed record Subscribe : IRequest<Nothing>;
}
