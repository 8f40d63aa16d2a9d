// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Messages;

namespace Containerd.Actors.Protocol.Containers;

/// <summary>Questions about containers' records.</summary>
public static class ContainerQueries
{
    /// <summary>One record.</summary>
    public sealed record Get(string Namespace, string ContainerId, Caller By) : IRequest<ContainerRecord>, IForContainer;

    /// <summary>All records of a namespace, sorted by the byte order of their ids.</summary>
    public sealed record List(string Namespace, Caller By) : IRequest<ImmutableArray<ContainerRecord>>, IInNamespace;
}
