// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Messages;

namespace Containerd.Actors.Core.Images;

/// <summary>Requests that change images.</summary>
public static class ImageCommands
{
    /// <summary>Makes a name for content.</summary>
    /// <param name="Namespace">The namespace.</param>
    /// <param name="Name">The name; not empty.</param>
    /// <param name="Target">What it stands for; must have a media type and a size above zero.</param>
    /// <param name="Labels">Labels.</param>
    /// <param name="SourceDateEpoch">Time of creation to write down instead of now.</param>
    /// <param name="Caller">On whose behalf, under which lease.</param>
    public sealed record Create(
        string Namespace,
        string Name,
        Descriptor? Target,
        ImmutableSortedDictionary<string, string> Labels,
        DateTimeOffset? SourceDateEpoch,
        Caller Caller) : IRequest<ImageRecord>, INamespaceCommand;

    /// <summary>Changes what a name stands for.</summary>
    /// <param name="Namespace">The namespace.</param>
    /// <param name="Name">The name.</param>
    /// <param name="Target">The wanted target; its annotations count for the masks of that name.</param>
    /// <param name="Labels">The wanted labels.</param>
    /// <param name="Mask">Which fields to change (<see cref="Masks.ImageMask"/>); empty replaces target and labels.</param>
    /// <param name="SourceDateEpoch">Time of change to write down instead of now.</param>
    /// <param name="Caller">On whose behalf, under which lease.</param>
    public sealed record Update(
        string Namespace,
        string Name,
        Descriptor? Target,
        ImmutableSortedDictionary<string, string> Labels,
        ImmutableArray<string> Mask,
        DateTimeOffset? SourceDateEpoch,
        Caller Caller) : IRequest<ImageRecord>, INamespaceCommand;

    /// <summary>Removes a name; content stays until garbage collection.</summary>
    /// <param name="Namespace">The namespace.</param>
    /// <param name="Name">The name.</param>
    /// <param name="Target">Refuse if the name stands for another digest; null does not look.</param>
    /// <param name="Caller">On whose behalf.</param>
    public sealed record Delete(string Namespace, string Name, Digest? Target, Caller Caller) : IRequest<Nothing>, INamespaceCommand;
}
