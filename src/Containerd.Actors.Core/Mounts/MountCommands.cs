// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Oci.Runtime;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Messages;

namespace Containerd.Actors.Core.Mounts;

/// <summary>A message for whoever holds mounts; supervisors route by it.</summary>
public interface IForMounts : IInNamespace, IRequest;

/// <summary>Requests about activations, for whoever holds mounts.</summary>
public static class MountCommands
{
    /// <summary>Mounts what only the daemon can mount. Refused as not implemented when there is no such mount.</summary>
    /// <param name="Namespace">The namespace.</param>
    /// <param name="Name">Its name.</param>
    /// <param name="Mounts">The mounts, in order.</param>
    /// <param name="Labels">Labels.</param>
    /// <param name="IsTemporary">True to mount all of them.</param>
    /// <param name="By">On whose behalf, under which lease.</param>
    public sealed record Activate(
        string Namespace,
        string Name,
        ImmutableArray<Mount> Mounts,
        ImmutableSortedDictionary<string, string> Labels,
        bool IsTemporary,
        Caller By) : IRequest<Activation>, IForMounts;

    /// <summary>Unmounts what was activated.</summary>
    public sealed record Deactivate(string Namespace, string Name, Caller By) : IRequest<Nothing>, IForMounts;

    /// <summary>Says who a user is in the files of a tree: it is mounted for as long as that takes.</summary>
    /// <param name="Namespace">The namespace.</param>
    /// <param name="Mounts">What mounts the tree.</param>
    /// <param name="User"><c>user[:group]</c>, by name or number.</param>
    public sealed record FindUser(string Namespace, ImmutableArray<Mount> Mounts, string User) : IRequest<UserSpec>, IForMounts;

    /// <summary>Tells of one.</summary>
    public sealed record Get(string Namespace, string Name) : IRequest<Activation>, IForMounts;

    /// <summary>Tells of all of a namespace, by name.</summary>
    public sealed record List(string Namespace) : IRequest<ImmutableArray<Activation>>, IForMounts;
}

/// <summary>Requests that change the records of activations, for their namespace.</summary>
public static class ActivationCommands
{
    /// <summary>Records what is mounted.</summary>
    /// <param name="Namespace">The namespace.</param>
    /// <param name="Activation">Its lease is that of the caller.</param>
    /// <param name="Caller">On whose behalf, under which lease.</param>
    public sealed record Add(string Namespace, Activation Activation, Caller Caller) : IRequest<Activation>, INamespaceCommand;

    /// <summary>Removes the record; the answer is what it was.</summary>
    /// <param name="Namespace">The namespace.</param>
    /// <param name="Name">Its name.</param>
    /// <param name="Reason">Why, unless somebody asked for it.</param>
    /// <param name="Caller">On whose behalf.</param>
    public sealed record Remove(string Namespace, string Name, string Reason, Caller Caller) : IRequest<Activation>, INamespaceCommand;
}
