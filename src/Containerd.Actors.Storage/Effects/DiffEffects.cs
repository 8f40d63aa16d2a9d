// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Executor;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Values;
using Containerd.Actors.Storage.Content;

namespace Containerd.Actors.Storage.Effects;

/// <summary>What lanes do to layers.</summary>
public static class DiffEffects
{
    /// <summary>Extracts a stored layer onto mounts. The value is an <see cref="Diff.AppliedLayer"/>.</summary>
    public sealed record Apply(Descriptor Layer, ImmutableArray<Mount> Mounts, bool Synchronize) : Effect
    {
        /// <summary>What stream processors are given, by their names.</summary>
        public ImmutableDictionary<string, AnyValue> Payloads { get; init; } = ImmutableDictionary<string, AnyValue>.Empty;

        /// <inheritdoc />
        public override LaneKind Lane => LaneKind.Bulk;

        /// <inheritdoc />
        public override string Subject => Layer.Digest.ToString();

        /// <inheritdoc />
        public override string Call => "extract";
    }

    /// <summary>Extracts a layer onto mounts while its upload comes. The value is an <see cref="Diff.AppliedLayer"/>, of a blob that was committed.</summary>
    /// <param name="Namespace">Namespace of the upload.</param>
    /// <param name="Reference">The upload, which somebody has open.</param>
    /// <param name="Layer">What it will be.</param>
    /// <param name="Mounts">Where to.</param>
    /// <param name="Patience">Longest time for it, the wait for bytes included.</param>
    public sealed record ApplyArriving(
        string Namespace, string Reference, Descriptor Layer, ImmutableArray<Mount> Mounts, TimeSpan Patience) : Effect
    {
        /// <inheritdoc />
        public override LaneKind Lane => LaneKind.Arrival;

        /// <inheritdoc />
        public override bool MayWait => false;

        /// <inheritdoc />
        public override string Subject => Layer.Digest.ToString();

        /// <inheritdoc />
        public override string Call => "extract";
    }

    /// <summary>Writes what differs between two trees as a layer into an upload. The value is a <see cref="WrittenLayer"/>.</summary>
    public sealed record Create(
        string Namespace,
        string Reference,
        ImmutableArray<Mount> Lower,
        ImmutableArray<Mount> Upper,
        string MediaType,
        DateTimeOffset? SourceDateEpoch) : Effect
    {
        /// <inheritdoc />
        public override LaneKind Lane => LaneKind.Bulk;

        /// <inheritdoc />
        public override string Subject => Reference;

        /// <inheritdoc />
        public override string Call => "archive";
    }

    /// <summary>A layer that was written and is not committed.</summary>
    /// <param name="Layer">The layer as it will be stored.</param>
    /// <param name="DiffId">Digest of the uncompressed archive.</param>
    /// <param name="Ingest">The upload that holds it, open.</param>
    public sealed record WrittenLayer(Descriptor Layer, Digest DiffId, Ingest Ingest);
}
