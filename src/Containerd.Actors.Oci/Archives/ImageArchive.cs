// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Containerd.Actors.Oci.Images;

namespace Containerd.Actors.Oci.Archives;

/// <summary>The file <c>oci-layout</c>: says that a directory or archive is an OCI image layout.</summary>
/// <remarks>OCI image-spec, image-layout.md.</remarks>
public sealed record ImageLayout([property: JsonPropertyName("imageLayoutVersion")] string Version);

/// <summary>One image in the file <c>manifest.json</c> of an archive that <c>docker save</c> writes and <c>docker load</c> reads.</summary>
public sealed record ArchivedImage
{
    /// <summary>Path of the configuration in the archive.</summary>
    [JsonPropertyName("Config")]
    public string Config { get; init; } = "";

    /// <summary>Names of the image as docker writes them.</summary>
    [JsonPropertyName("RepoTags")]
    [AllowNull]
    public IReadOnlyList<string> RepoTags { get; init => field = value ?? []; } = [];

    /// <summary>Paths of the layers in the archive, lowest first.</summary>
    [JsonPropertyName("Layers")]
    [AllowNull]
    public IReadOnlyList<string> Layers { get; init => field = value ?? []; } = [];
}

/// <summary>The names of files in image archives, and what is in them.</summary>
public static class ImageArchive
{
    public const string LayoutFile = "oci-layout";
    public const string IndexFile = "index.json";
    public const string DockerFile = "manifest.json";
    public const string BlobsDirectory = "blobs/";

    /// <summary>The version of the layout that is read and written.</summary>
    public const string LayoutVersion = "1.0.0";

    /// <summary>The path of a blob in an OCI layout.</summary>
    public static string BlobPath(Digest digest) => $"{BlobsDirectory}{digest.Algorithm}/{digest.Hex}";

    /// <summary>The digest that a path in an OCI layout promises; null for other paths.</summary>
    public static Digest? DigestOf(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return path.StartsWith(BlobsDirectory, StringComparison.Ordinal)
            && Digest.TryParse(path[BlobsDirectory.Length..].Replace('/', ':'), out Digest digest)
                ? digest
                : null;
    }

    /// <summary>
    /// The path of an entry without steps that lead nowhere, as other paths in the archive refer to it; null for one that leads out of
    /// the archive or to nothing.
    /// </summary>
    public static string? Clean(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        var steps = new List<string>();
        foreach (string step in path.Split('/'))
        {
            switch (step)
            {
                case "" or ".":
                    break;
                case ".." when steps.Count == 0:
                    return null;
                case "..":
                    steps.RemoveAt(steps.Count - 1);
                    break;
                default:
                    steps.Add(step);
                    break;
            }
        }

        return path.StartsWith('/') || path.Contains('\0', StringComparison.Ordinal) || steps.Count == 0 ? null : string.Join('/', steps);
    }

    /// <summary>Checks the file <c>oci-layout</c>.</summary>
    /// <exception cref="FormatException">It is malformed, or of a version that is not known.</exception>
    public static void CheckLayout(ReadOnlySpan<byte> bytes)
    {
        string? version = Read(bytes, OciJson.Default.ImageLayout)?.Version;
        if (version != LayoutVersion)
        {
            throw new FormatException($"unsupported OCI version {version}");
        }
    }

    /// <summary>Reads the file <c>manifest.json</c>.</summary>
    /// <exception cref="FormatException">It is malformed.</exception>
    public static IReadOnlyList<ArchivedImage> ReadImages(ReadOnlySpan<byte> bytes)
    {
        IReadOnlyList<ArchivedImage> images = Read(bytes, OciJson.Default.ListArchivedImage) ?? [];
        return images.Any(image => image is null || image.Config is null || image.Layers.Any(layer => layer is null) || image.RepoTags.Any(tag => tag is null))
            ? throw new FormatException("invalid JSON: null where a text is expected")
            : images;
    }

    /// <summary>The file <c>oci-layout</c>.</summary>
    public static byte[] WriteLayout() => JsonSerializer.SerializeToUtf8Bytes(new ImageLayout(LayoutVersion), OciJson.Default.ImageLayout);

    /// <summary>The file <c>manifest.json</c>.</summary>
    public static byte[] Write(IReadOnlyList<ArchivedImage> images) => JsonSerializer.SerializeToUtf8Bytes([.. images], OciJson.Default.ListArchivedImage);

    private static T? Read<T>(ReadOnlySpan<byte> bytes, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(bytes, type);
        }
        catch (Exception refused) when (refused is JsonException or InvalidOperationException)
        {
            throw new FormatException($"invalid JSON: {refused.Message}", refused);
        }
    }
}
