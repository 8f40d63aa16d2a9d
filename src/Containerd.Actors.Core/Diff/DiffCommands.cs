// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Values;

namespace Containerd.Actors.Core.Diff;

/// <summary>A message for the differ; supervisors route by it.</summary>
public interface IForDiffer : IInNamespace, IRequest
{
    /// <summary>On whose behalf.</summary>
    Caller By { get; }
}

/// <summary>A layer that was extracted without its parents.</summary>
/// <param name="Uncompressed">The uncompressed archive.</param>
/// <param name="Inherited">Directories of which the layer says nothing, empty for the root.</param>
public sealed record ExtractedLayer(Descriptor Uncompressed, ImmutableArray<string> Inherited);

/// <summary>An open upload whose bytes are used before it is committed.</summary>
/// <param name="Reference">Its name.</param>
/// <param name="Patience">Longest time for that; then it is refused as exceeding its deadline.</param>
public sealed record ArrivingUpload(string Reference, TimeSpan Patience);

/// <summary>Layers applied to mounts, and layers made from two sets of mounts.</summary>
public static class DiffCommands
{
    /// <summary>Extracts a layer onto mounts; answered with the descriptor of the uncompressed archive.</summary>
    /// <param name="Namespace">Namespace that sees the layer.</param>
    /// <param name="Layer">The layer; its media type says how it is compressed.</param>
    /// <param name="Mounts">Where to.</param>
    /// <param name="Synchronize">True to have the files on disk before the answer.</param>
    /// <param name="By">On whose behalf.</param>
    public sealed record Apply(string Namespace, Descriptor Layer, ImmutableArray<Mount> Mounts, bool Synchronize, Caller By)
        : IRequest<Descriptor>, IForDiffer
    {
        /// <summary>What stream processors are given, by their names.</summary>
        public ImmutableDictionary<string, AnyValue> Payloads { get; init; } = ImmutableDictionary<string, AnyValue>.Empty;
    }

    /// <summary>Extracts a layer into a snapshot that may be detached. Where another differ comes before the daemon's own it is refused as not implemented.</summary>
    /// <param name="Namespace">Namespace that sees the layer.</param>
    /// <param name="Layer">The layer; its media type says how it is compressed.</param>
    /// <param name="Mounts">What <see cref="Snapshots.SnapshotterCommands.Prepare"/> answered.</param>
    /// <param name="By">On whose behalf.</param>
    public sealed record Extract(string Namespace, Descriptor Layer, ImmutableArray<Mount> Mounts, Caller By) : IRequest<ExtractedLayer>, IForDiffer
    {
        /// <summary>
        /// The open upload whose bytes are extracted while they come; null for a layer that is stored. An answer that is no refusal comes
        /// only when that upload was committed.
        /// </summary>
        public ArrivingUpload? Upload { get; init; }
    }

    /// <summary>Makes a layer of what differs between two trees and stores it; answered with its descriptor.</summary>
    /// <param name="Namespace">Namespace that will see the layer.</param>
    /// <param name="Lower">The tree before.</param>
    /// <param name="Upper">The tree after.</param>
    /// <param name="MediaType">Form of the layer; empty for a gzip-compressed OCI layer.</param>
    /// <param name="Reference">Name of the upload; empty for one made up.</param>
    /// <param name="Labels">Labels of the content.</param>
    /// <param name="SourceDateEpoch">Latest time of an entry; null leaves times as they are.</param>
    /// <param name="By">On whose behalf.</param>
    public sealed record Create(
        string Namespace,
        ImmutableArray<Mount> Lower,
        ImmutableArray<Mount> Upper,
        string MediaType,
        string Reference,
        ImmutableSortedDictionary<string, string> Labels,
        DateTimeOffset? SourceDateEpoch,
        Caller By) : IRequest<Descriptor>, IForDiffer;
}
