// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Messages;

namespace Containerd.Actors.Protocol.Content;

/// <summary>A message for one ingest.</summary>
public interface IForIngest
{
    /// <summary>Namespace of the ingest.</summary>
    string Namespace { get; }

    /// <summary>The client's name for it.</summary>
    string Reference { get; }
}

/// <summary>What is known of an upload.</summary>
/// <param name="Reference">The client's name for it.</param>
/// <param name="Offset">Bytes stored.</param>
/// <param name="Total">Announced size; 0 for unknown.</param>
/// <param name="Digest">Digest of the bytes so far; empty when nobody has it open.</param>
/// <param name="StartedAt">When it was first opened.</param>
/// <param name="UpdatedAt">When bytes last came.</param>
public sealed record IngestState(
    string Reference, long Offset, long Total, Digest Digest, DateTimeOffset StartedAt, DateTimeOffset UpdatedAt);

/// <summary>A committed upload.</summary>
/// <param name="Digest">Name of the blob.</param>
/// <param name="Size">Its bytes.</param>
public sealed record CommittedContent(Digest Digest, long Size);

/// <summary>What can be asked of uploads. An upload that is open belongs to whoever opened it, until closed.</summary>
public static class IngestCommands
{
    /// <summary>Opens or resumes an upload of an announced size (0 for unknown) and an expected digest (empty for unknown).</summary>
    /// <remarks>Refused as unavailable while somebody has it open, and as existing when content of that digest is visible already.</remarks>
    public sealed record Open(string Namespace, string Reference, long Total, Digest Expected, Caller By) : IRequest<IngestState>, IForIngest;

    /// <summary>What is known of the open upload.</summary>
    public sealed record GetState(string Namespace, string Reference) : IRequest<IngestState>, IForIngest;

    /// <summary>Appends bytes at an offset, which must be the end; offset 0 starts anew.</summary>
    public sealed record Write(string Namespace, string Reference, long Offset, ReadOnlyMemory<byte> Bytes) : IRequest<IngestState>, IForIngest;

    /// <summary>Verifies the bytes and makes them content of the namespace.</summary>
    public sealed record Commit(
        string Namespace,
        string Reference,
        long Total,
        Digest Expected,
        ImmutableSortedDictionary<string, string> Labels,
        Caller By) : IRequest<CommittedContent>, IForIngest
    {
        /// <summary>Where the caller believes the end to be, which is then checked; 0 for not said.</summary>
        public long Offset { get; init; }
    }

    /// <summary>Gives the open upload back; what is stored can be resumed unless it is to be forgotten. Answered when others may open it.</summary>
    public sealed record Close(string Namespace, string Reference, bool Abort) : IRequest<Nothing>, IForIngest;

    /// <summary>Forgets an upload; one that somebody has open is closed under them. Answered when others may open it anew.</summary>
    public sealed record Abort(string Namespace, string Reference, Caller By) : IRequest<Nothing>, IForIngest;

    /// <summary>Every upload of a namespace, open or not, by reference.</summary>
    public sealed record List(string Namespace) : IRequest<ImmutableArray<IngestState>>;
}
