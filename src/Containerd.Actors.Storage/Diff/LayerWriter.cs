// SPDX-License-Identifier: Apache-2.0

using System.Security.Cryptography;
using Containerd.Actors.Core.Linux;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Storage.Content;

namespace Containerd.Actors.Storage.Diff;

/// <summary>The two sides of a comparison.</summary>
/// <param name="Lower">Directory of the left side; null for an empty one.</param>
/// <param name="Upper">Directory of the right side.</param>
/// <param name="IsOverlayUpper">
/// True if <paramref name="Upper"/> is an overlay's upper directory: it holds the changes themselves and nothing is compared.
/// </param>
public sealed record DiffSource(string? Lower, string Upper, bool IsOverlayUpper = false);

/// <summary>A layer that was written.</summary>
/// <param name="Descriptor">The bytes of the ingest with their media type.</param>
/// <param name="DiffId">Digest of the uncompressed archive, for the label <c>containerd.io/uncompressed</c>.</param>
public sealed record WrittenLayer(Descriptor Descriptor, Digest DiffId)
{
    /// <summary>Label of content that tells the digest of the uncompressed archive.</summary>
    public const string UncompressedLabel = "containerd.io/uncompressed";
}

/// <summary>Writes the difference of two trees as a layer.</summary>
public static class LayerWriter
{
    /// <summary>Compares and writes; blocks until done. The ingest stays open: whoever commits it must keep the blob from a sweep.</summary>
    /// <param name="source">What to compare.</param>
    /// <param name="mediaType">An OCI layer type: plain, <c>+gzip</c> or <c>+zstd</c>; empty for gzip. Others are refused as not implemented.</param>
    /// <param name="ingest">Where to; must be empty.</param>
    /// <param name="sourceDateEpoch">Upper bound of all times, and the time of removals; null for none and 1970.</param>
    /// <param name="cancellation">Ends the work between two files.</param>
    public static WrittenLayer Write(
        DiffSource source,
        string mediaType,
        Ingest ingest,
        DateTimeOffset? sourceDateEpoch = null,
        CancellationToken cancellation = default)
    {
        string type = mediaType.Length == 0 ? AppliedLayer.MediaType + "+gzip" : mediaType;
        LayerCompression compression = type.StartsWith(AppliedLayer.MediaType, StringComparison.Ordinal)
            ? LayerCompressions.Of(type) ?? LayerCompression.None
            : throw new RefusedException(Error.NotImplemented($"unsupported diff media type: {mediaType}"));
        try
        {
            using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            using IngestStream target = new(ingest);
            Stream compressed = LayerCompressions.Compress(target, compression);
            HashingStream archive = new(compressed, hash);
            using (BufferedStream buffered = new(archive, 1 << 16))
            {
                new LayerComparison(buffered, sourceDateEpoch, cancellation).Write(source);
                buffered.Flush();
                if (compression != LayerCompression.None)
                {
                    compressed.Dispose();
                }
            }

            Digest diffId = Digest.FromHash("sha256", hash.GetCurrentHash());
            return new WrittenLayer(new Descriptor(type, ingest.CurrentDigest, ingest.Offset), diffId);
        }
        catch (LinuxException failure)
        {
            throw new RefusedException(failure.Error.ToError().While("failed to write diff"), failure);
        }
    }
}
