// SPDX-License-Identifier: Apache-2.0

using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Containerd.Actors.Oci.Images;

/// <summary>Reads the documents of an image from bytes that nobody vouches for, and writes them.</summary>
/// <remarks>
/// A document that could be read as two things is refused, as containerd does: a digest names bytes, and two readers must not see two images in
/// them (CVE-2021-41190). All refusals are <see cref="FormatException"/>s with a text for users.
/// </remarks>
public static class ImageDocuments
{
    /// <summary>Deepest nesting that is read.</summary>
    public const int DepthMax = 32;

    // Media types have a plus in them, which other tools write as it is and people search for.
    private static readonly OciJson Written = new(new JsonSerializerOptions(OciJson.Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    private static readonly string[] IndexNames = ["manifests"];
    private static readonly string[] ManifestNames = ["config", "layers"];

    /// <summary>Reads the manifest of one image.</summary>
    /// <param name="bytes">The document.</param>
    /// <param name="bytesMax">Longest document that is read, in bytes.</param>
    /// <param name="mediaType">What the document was announced as; a document that says otherwise is refused.</param>
    /// <exception cref="FormatException">Not a manifest, ambiguous, or over a limit.</exception>
    public static Manifest ReadManifest(ReadOnlyMemory<byte> bytes, int bytesMax, string? mediaType = null)
    {
        Manifest manifest = Read(bytes, bytesMax, OciJson.Default.Manifest, IndexNames, "expected manifest but found index");
        CheckMediaType(mediaType, manifest.MediaType, MediaTypes.IsManifest);
        if (manifest.Config is null)
        {
            throw new FormatException("manifest without a config");
        }

        Check(manifest.Config);
        foreach (Descriptor layer in manifest.Layers)
        {
            Check(layer);
        }

        return manifest;
    }

    /// <summary>Reads an index or manifest list; parameters and refusals as in <see cref="ReadManifest"/>.</summary>
    /// <exception cref="FormatException">Not an index, ambiguous, or over a limit.</exception>
    public static Index ReadIndex(ReadOnlyMemory<byte> bytes, int bytesMax, string? mediaType = null)
    {
        Index index = Read(bytes, bytesMax, OciJson.Default.Index, ManifestNames, "expected index but found manifest");
        CheckMediaType(mediaType, index.MediaType, MediaTypes.IsIndex);
        foreach (Descriptor manifest in index.Manifests)
        {
            Check(manifest);
        }

        return index;
    }

    /// <summary>Reads the configuration of an image.</summary>
    /// <exception cref="FormatException">Not a configuration, ambiguous, or over a limit.</exception>
    public static ImageConfig ReadConfig(ReadOnlyMemory<byte> bytes, int bytesMax)
    {
        ImageConfig config = Read(bytes, bytesMax, OciJson.Default.ImageConfig, [], "");
        if (config.RootFs.DiffIds.Any(id => id.IsEmpty) || HasNull(config.Config.Env)
            || HasNull(config.Config.Entrypoint) || HasNull(config.Config.Cmd))
        {
            throw new FormatException("image config with a null in a list");
        }

        return config;
    }

    /// <summary>The document as compact UTF-8 JSON.</summary>
    public static byte[] Write(Manifest manifest) => JsonSerializer.SerializeToUtf8Bytes(manifest, Written.Manifest);

    /// <inheritdoc cref="Write(Manifest)" />
    public static byte[] Write(Index index) => JsonSerializer.SerializeToUtf8Bytes(index, Written.Index);

    /// <inheritdoc cref="Write(Manifest)" />
    public static byte[] Write(ImageConfig config) => JsonSerializer.SerializeToUtf8Bytes(config, Written.ImageConfig);

    private static bool HasNull(IReadOnlyList<string> list) => list.Any(item => item is null);

    private static T Read<T>(
        ReadOnlyMemory<byte> bytes, int bytesMax, JsonTypeInfo<T> type, string[] foreignNames, string foreignText)
        where T : class
    {
        if (bytes.Length > bytesMax)
        {
            throw new FormatException($"document of {bytes.Length} bytes exceeds the limit of {bytesMax} bytes");
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(
                bytes, new JsonDocumentOptions { MaxDepth = DepthMax, AllowDuplicateProperties = false });
            CheckNames(document.RootElement, foreignNames, foreignText);
            return document.RootElement.Deserialize(type) ?? throw new FormatException("document is null");
        }
        catch (JsonException refused)
        {
            throw new FormatException($"invalid JSON: {refused.Message}", refused);
        }
        catch (InvalidOperationException refused)
        {
            // Text in the document that is no valid UTF-16, such as an escaped half of a surrogate pair.
            throw new FormatException($"invalid JSON: {refused.Message}", refused);
        }
    }

    // Go matches names in any case: what differs from a known name in case only would be read there and overlooked here.
    private static void CheckNames(JsonElement root, string[] foreignNames, string foreignText)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw new FormatException("document is not a JSON object");
        }

        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (JsonProperty property in root.EnumerateObject())
        {
            if (!seen.Add(property.Name))
            {
                throw new FormatException($"ambiguous document: \"{property.Name}\" occurs twice");
            }

            if (property.Name.Equals("fsLayers", StringComparison.OrdinalIgnoreCase) && !IsEmpty(property.Value))
            {
                throw new FormatException("media-type: schema 1 not supported");
            }

            if (foreignNames.Contains(property.Name, StringComparer.OrdinalIgnoreCase) && !IsEmpty(property.Value))
            {
                throw new FormatException($"media-type: {foreignText} (\"{property.Name}\")");
            }
        }
    }

    private static bool IsEmpty(JsonElement value) => value.ValueKind == JsonValueKind.Null
        || (value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == 0);

    private static void CheckMediaType(string? announced, string? stated, Func<string, bool> isRight)
    {
        if (announced is not null && !isRight(announced))
        {
            throw new FormatException($"media-type: \"{announced}\" does not fit the document");
        }

        if (!string.IsNullOrEmpty(stated) && (!isRight(stated) || (announced is not null && announced != stated)))
        {
            throw new FormatException($"media-type: document says \"{stated}\" but was announced as \"{announced}\"");
        }
    }

    private static void Check(Descriptor? descriptor)
    {
        if (descriptor is null || string.IsNullOrEmpty(descriptor.MediaType) || descriptor.Digest.IsEmpty || descriptor.Size < 0)
        {
            throw new FormatException("descriptor without a media type, a digest or a size");
        }
    }
}
