// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Executor;
using Containerd.Actors.Core.GarbageCollection;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Storage.Content;

namespace Containerd.Actors.Storage.Effects;

/// <summary>What lanes do to blobs and uploads.</summary>
public static class ContentEffects
{
    /// <summary>Opens or resumes an upload. The value is an <see cref="Ingest"/>.</summary>
    public sealed record OpenIngest(string Namespace, string Reference, long Total, Digest Expected, bool IsLeased) : Effect
    {
        /// <inheritdoc />
        public override LaneKind Lane => LaneKind.Content;

        /// <inheritdoc />
        public override string Subject => $"{Namespace}/{Reference}";
    }

    /// <summary>Appends bytes, after dropping all there are if asked to.</summary>
    public sealed record Append(Ingest Ingest, bool Anew, ReadOnlyMemory<byte> Bytes) : Effect
    {
        /// <inheritdoc />
        public override LaneKind Lane => LaneKind.Content;

        /// <inheritdoc />
        public override string Subject => $"{Ingest.Namespace}/{Ingest.Reference}";

        /// <inheritdoc />
        public override string Call => "write";
    }

    /// <summary>Fills an empty upload with the bytes of a blob.</summary>
    public sealed record Seed(Ingest Ingest, Digest Blob) : Effect
    {
        /// <inheritdoc />
        public override LaneKind Lane => LaneKind.Content;

        /// <inheritdoc />
        public override string Subject => Blob.ToString();

        /// <inheritdoc />
        public override string Call => "write";
    }

    /// <summary>Verifies and publishes. The value is a <see cref="CommittedBlob"/>.</summary>
    public sealed record Commit(Ingest Ingest, long Size, Digest Expected) : Effect
    {
        /// <inheritdoc />
        public override LaneKind Lane => LaneKind.Content;

        /// <inheritdoc />
        public override string Subject => $"{Ingest.Namespace}/{Ingest.Reference}";

        /// <inheritdoc />
        public override string Call => "fsync";
    }

    /// <summary>Closes an upload, and removes it if asked to.</summary>
    public sealed record Close(Ingest Ingest, bool Abort) : Effect
    {
        /// <inheritdoc />
        public override LaneKind Lane => LaneKind.Content;

        /// <inheritdoc />
        public override string Subject => $"{Ingest.Namespace}/{Ingest.Reference}";

        /// <inheritdoc />
        public override string Call => "close";
    }

    /// <summary>Forgets an upload that nobody has open.</summary>
    public sealed record Abort(string Namespace, string Reference) : Effect
    {
        /// <inheritdoc />
        public override LaneKind Lane => LaneKind.Content;

        /// <inheritdoc />
        public override string Subject => $"{Namespace}/{Reference}";
    }

    /// <summary>Every upload on disk. The value is a list of <see cref="IngestStatus"/>.</summary>
    public sealed record ListIngests : Effect
    {
        /// <inheritdoc />
        public override LaneKind Lane => LaneKind.Content;

        /// <inheritdoc />
        public override string Subject => "ingests";
    }

    /// <summary>Size of a blob on disk whether or not any namespace sees it. The value is a <c>long</c>, or null if there is none.</summary>
    public sealed record Size(Digest Blob) : Effect
    {
        /// <inheritdoc />
        public override LaneKind Lane => LaneKind.Content;

        /// <inheritdoc />
        public override string Subject => Blob.ToString();
    }

    /// <summary>All bytes of a blob that is not longer than a bound. The value is an array.</summary>
    public sealed record ReadDocument(Digest Blob, int BytesMax) : Effect
    {
        /// <inheritdoc />
        public override LaneKind Lane => LaneKind.Content;

        /// <inheritdoc />
        public override string Subject => Blob.ToString();

        /// <inheritdoc />
        public override string Call => "read";
    }

    /// <summary>Removes every blob but those to keep, and gives up uploads; dry, it only counts. The value is a <see cref="Swept"/>.</summary>
    public sealed record Sweep(IReadOnlySet<Digest> Keep, ImmutableArray<(string Namespace, string Reference)> Ingests, bool IsDry) : Effect
    {
        /// <inheritdoc />
        public override LaneKind Lane => LaneKind.Bulk;

        /// <inheritdoc />
        public override string Subject => "blobs";

        /// <inheritdoc />
        public override string Call => "unlink";
    }
}
