// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Messages;

namespace Containerd.Actors.Core.Leases;

/// <summary>Requests that change leases.</summary>
public static class LeaseCommands
{
    /// <summary>Makes a lease.</summary>
    /// <param name="Namespace">The namespace.</param>
    /// <param name="Id">Its id; empty lets the namespace's actor make one up.</param>
    /// <param name="Labels">Labels; not limited in length.</param>
    /// <param name="Caller">On whose behalf.</param>
    public sealed record Create(string Namespace, string Id, ImmutableSortedDictionary<string, string> Labels, Caller Caller)
        : IRequest<LeaseRecord>, INamespaceCommand;

    /// <summary>Ends a lease; what it kept goes with the next garbage collection unless something else keeps it.</summary>
    public sealed record Delete(string Namespace, string Id, Caller Caller) : IRequest<Nothing>, INamespaceCommand;

    /// <summary>Lets the lease keep one more resource, which need not exist.</summary>
    public sealed record AddResource(string Namespace, string Id, LeaseResource Resource, Caller Caller)
        : IRequest<Nothing>, INamespaceCommand;

    /// <summary>Lets the lease keep one resource less.</summary>
    public sealed record RemoveResource(string Namespace, string Id, LeaseResource Resource, Caller Caller)
        : IRequest<Nothing>, INamespaceCommand;
}
