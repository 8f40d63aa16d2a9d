// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Containers;
using Containerd.Actors.Protocol.Messages;

namespace Containerd.Actors.Supervision.Namespaces.Containers;

/// <summary>What containers tell their namespace, so that garbage collection knows what they keep.</summary>
public static class RootAnnouncements
{
    /// <summary>A container keeps the snapshot of this record.</summary>
    public sealed record Set(string Namespace, ContainerRecord Container, Caller By) : IRequest<Nothing>, IInNamespace;

    /// <summary>A container keeps nothing any more.</summary>
    public sealed record Remove(string Namespace, string ContainerId, Caller By) : IRequest<Nothing>, IInNamespace;

    /// <summary>Every container that was there at start has said what it keeps.</summary>
    public sealed record Complete(string Namespace) : IInNamespace;
}
