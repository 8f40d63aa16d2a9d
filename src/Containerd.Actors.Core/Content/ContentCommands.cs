// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Messages;

namespace Containerd.Actors.Core.Content;

/// <summary>Requests that change which content a namespace sees. The bytes are the content store's.</summary>
public static class ContentCommands
{
    /// <summary>Makes a stored, verified blob visible. Refused as existing if it is visible; the caller's lease keeps it either way.</summary>
    /// <param name="Namespace">The namespace.</param>
    /// <param name="Digest">Its name.</param>
    /// <param name="Size">Bytes.</param>
    /// <param name="Labels">Labels; not merged into those of a blob that exists.</param>
    /// <param name="Ingest">Reference of the ingest it came from, which leaves the caller's lease; empty for none.</param>
    /// <param name="Caller">On whose behalf, under which lease.</param>
    public sealed record Add(
        string Namespace, Digest Digest, long Size, ImmutableSortedDictionary<string, string> Labels, string Ingest, Caller Caller)
        : IRequest<ContentRecord>, INamespaceCommand;

    /// <summary>Lets the caller's lease keep a visible blob; refused if it is not visible.</summary>
    public sealed record Attach(string Namespace, Digest Digest, Caller Caller) : IRequest<ContentRecord>, INamespaceCommand;

    /// <summary>Lets the caller's lease keep an ingest; does nothing without a lease.</summary>
    public sealed record AttachIngest(string Namespace, string Ingest, Caller Caller) : IRequest<Nothing>, INamespaceCommand;

    /// <summary>Takes an ingest that was given up out of the caller's lease.</summary>
    public sealed record DetachIngest(string Namespace, string Ingest, Caller Caller) : IRequest<Nothing>, INamespaceCommand;

    /// <summary>Changes labels.</summary>
    /// <param name="Namespace">The namespace.</param>
    /// <param name="Digest">Which blob.</param>
    /// <param name="Labels">The wanted labels.</param>
    /// <param name="Mask"><c>labels</c> or <c>labels.K</c>; empty replaces all labels.</param>
    /// <param name="Caller">On whose behalf.</param>
    public sealed record Update(
        string Namespace, Digest Digest, ImmutableSortedDictionary<string, string> Labels, ImmutableArray<string> Mask, Caller Caller)
        : IRequest<ContentRecord>, INamespaceCommand;

    /// <summary>Adds a repository to those that a visible blob is known to come from.</summary>
    /// <remarks>What is known stays known: pushes mount the blob from any of them. A list that would grow too long stays as it is.</remarks>
    /// <param name="Namespace">The namespace.</param>
    /// <param name="Digest">Which blob.</param>
    /// <param name="Host">The registry as references name it, for example <c>docker.io</c>.</param>
    /// <param name="Repository">The repository, for example <c>library/redis</c>.</param>
    /// <param name="Caller">On whose behalf.</param>
    public sealed record AddSource(string Namespace, Digest Digest, string Host, string Repository, Caller Caller)
        : IRequest<ContentRecord>, INamespaceCommand;

    /// <summary>Makes a blob invisible here and takes it out of the caller's lease.</summary>
    public sealed record Remove(string Namespace, Digest Digest, Caller Caller) : IRequest<Nothing>, INamespaceCommand;
}
