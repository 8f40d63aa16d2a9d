// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.GarbageCollection;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Messages;

namespace Containerd.Actors.Core.Namespaces;

/// <summary>A write in a namespace: who asks is part of it.</summary>
public interface INamespaceCommand : IInNamespace
{
    /// <summary>On whose behalf, under which lease.</summary>
    Caller Caller { get; }
}

/// <summary>Requests that change a namespace itself.</summary>
public static class NamespaceCommands
{
    /// <summary>Makes the namespace; refused if it exists.</summary>
    public sealed record Create(string Namespace, ImmutableSortedDictionary<string, string> Labels, Caller Caller)
        : IRequest<NamespaceState>, INamespaceCommand;

    /// <summary>Changes its labels and makes it if it does not exist.</summary>
    /// <param name="Namespace">The namespace.</param>
    /// <param name="Labels">The wanted labels; an empty value removes.</param>
    /// <param name="Mask">Paths <c>labels.K</c>; empty replaces all labels.</param>
    /// <param name="Caller">On whose behalf.</param>
    public sealed record Update(
        string Namespace, ImmutableSortedDictionary<string, string> Labels, ImmutableArray<string> Mask, Caller Caller)
        : IRequest<NamespaceState>, INamespaceCommand;

    /// <summary>Removes the namespace, which must be empty.</summary>
    public sealed record Delete(string Namespace, Caller Caller) : IRequest<Nothing>, INamespaceCommand;

    /// <summary>Removes at once everything in the namespace that nothing refers to.</summary>
    /// <param name="Namespace">The namespace.</param>
    /// <param name="Ingests">Ingests of this namespace that are open.</param>
    /// <param name="Caller">The policy.</param>
    /// <param name="SpareFrom">Content and snapshots made at this moment or later stay although nothing refers to them; null spares none.</param>
    public sealed record Collect(string Namespace, ImmutableArray<OpenIngest> Ingests, Caller Caller, DateTimeOffset? SpareFrom = null)
        : IRequest<Collected>, INamespaceCommand;
}

/// <summary>Requests that read namespaces. Answers hold immutable states and are for use inside one process only.</summary>
public static class NamespaceQueries
{
    /// <summary>The stored state of a namespace, empty if there is none of the name; listing and filtering is done on it.</summary>
    public sealed record GetState(string Namespace) : IRequest<NamespaceState>, IInNamespace;

    /// <summary>The stored states of all namespaces that exist, by name.</summary>
    public sealed record List : IRequest<ImmutableArray<NamespaceState>>;

    /// <summary>What keeps or condemns whatever goes by a name: a digest or the start of one, a key, a name, an id, a reference.</summary>
    /// <param name="Namespace">The namespace.</param>
    /// <param name="Name">What is asked about; refused as not found if nothing goes by it.</param>
    /// <param name="Ingests">Ingests of this namespace that are open.</param>
    public sealed record Explain(string Namespace, string Name, ImmutableArray<OpenIngest> Ingests)
        : IRequest<ImmutableArray<GarbageExplanation>>, IInNamespace;

    /// <summary>What <see cref="NamespaceCommands.Collect"/> would remove now, and why; nothing is changed.</summary>
    /// <param name="Namespace">The namespace.</param>
    /// <param name="Ingests">Ingests of this namespace that are open.</param>
    public sealed record Preview(string Namespace, ImmutableArray<OpenIngest> Ingests) : IRequest<Collected>, IInNamespace;
}

/// <summary>What containers tell their namespace, so that it knows what they keep.</summary>
public static class ContainerRoots
{
    /// <summary>A container exists and keeps this; answered before the container answers its caller.</summary>
    /// <remarks>Makes the namespace if it does not exist yet: the first container is a first write.</remarks>
    public sealed record Set(string Namespace, ContainerRoot Root, Caller Caller) : IRequest<Nothing>, INamespaceCommand;

    /// <summary>A container is gone and keeps nothing any more.</summary>
    public sealed record Remove(string Namespace, string ContainerId, Caller Caller) : IRequest<Nothing>, INamespaceCommand;

    /// <summary>
    /// Every container that was there at start has said what it keeps. Told by <c>containers</c>, and likewise by <c>sandboxes</c>, after
    /// each of their starts; until then nothing is collected in the namespace.
    /// </summary>
    /// <param name="Namespace">The namespace.</param>
    /// <param name="Child">Name of the child of the namespace that says so.</param>
    public sealed record Complete(string Namespace, string Child = "containers") : IInNamespace;
}
