// SPDX-License-Identifier: Apache-2.0

using System.Globalization;

namespace Containerd.Actors.Oci.Images;

/// <summary>The labels and ingest names that containerd's clients put on content, so that both see the same image.</summary>
/// <remarks>containerd's garbage collection follows the <c>gc.ref</c> labels; they are part of the interface.</remarks>
public static class ContentLabels
{
    /// <summary>On a layer: the digest of its uncompressed archive.</summary>
    public const string Uncompressed = "containerd.io/uncompressed";

    /// <summary>Prefix of the labels that keep other content alive.</summary>
    public const string ContentReference = "containerd.io/gc.ref.content";

    /// <summary>Prefix of the labels that keep a snapshot alive; the snapshotter's name follows.</summary>
    public const string SnapshotReference = "containerd.io/gc.ref.snapshot.";

    /// <summary>Prefix of the labels that name the repositories a blob came from; the registry's name follows.</summary>
    public const string DistributionSource = "containerd.io/distribution.source.";

    // containerd refuses a label whose key and value have more characters together.
    private const int LabelLengthMax = 4096;

    /// <summary>The value of the source label with one more repository: sorted, without repeats; null when it would grow too long.</summary>
    /// <param name="host">The registry as the reference names it, for example <c>docker.io</c>.</param>
    /// <param name="present">The value the label has already, if any.</param>
    /// <param name="repository">The repository, for example <c>library/redis</c>.</param>
    public static string? WithSource(string host, string? present, string repository)
    {
        var all = new SortedSet<string>(
            (present ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries), StringComparer.Ordinal)
        {
            repository,
        };
        string value = string.Join(',', all);
        return DistributionSource.Length + (host?.Length ?? 0) + value.Length > LabelLengthMax ? null : value;
    }

    /// <summary>The labels on a manifest that keep its configuration and its layers.</summary>
    public static IReadOnlyDictionary<string, string> OfChildren(Manifest manifest)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        var labels = new SortedDictionary<string, string>(StringComparer.Ordinal);
        if (manifest.Config is { } config)
        {
            labels[MediaTypes.IsConfig(config.MediaType) ? ContentReference + ".config" : ContentReference + ".0"] = config.Digest.ToString();
        }

        AddEach(labels, ".l.", manifest.Layers);
        return labels;
    }

    /// <summary>The labels on an index that keep those of its manifests that were fetched.</summary>
    /// <param name="index">The index.</param>
    /// <param name="isKept">Tells which manifests to keep.</param>
    public static IReadOnlyDictionary<string, string> OfChildren(Index index, Func<Descriptor, bool> isKept)
    {
        ArgumentNullException.ThrowIfNull(index);
        var labels = new SortedDictionary<string, string>(StringComparer.Ordinal);
        AddEach(labels, ".m.", [.. index.Manifests.Where(isKept)]);
        return labels;
    }

    /// <summary>The key of the ingest that fetches this content: <c>layer-sha256:…</c> and so on.</summary>
    public static string IngestKey(Descriptor descriptor)
    {
        ArgumentNullException.ThrowIfNull(descriptor);
        string kind = MediaTypes.IsManifest(descriptor.MediaType) ? "manifest"
            : MediaTypes.IsIndex(descriptor.MediaType) ? "index"
            : MediaTypes.IsLayer(descriptor.MediaType) ? "layer"
            : MediaTypes.IsConfig(descriptor.MediaType) ? "config"
            : "unknown";
        return $"{kind}-{descriptor.Digest}";
    }

    private static void AddEach(SortedDictionary<string, string> labels, string infix, IReadOnlyList<Descriptor> children)
    {
        for (int i = 0; i < children.Count; i++)
        {
            labels[ContentReference + infix + i.ToString(CultureInfo.InvariantCulture)] = children[i].Digest.ToString();
        }
    }
}
