// SPDX-License-Identifier: Apache-2.0

using System.Text.Json;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Errors;

namespace Containerd.Actors.Registry.Http;

/// <summary>Tells what a document at a tag is, from its announcement and from itself.</summary>
internal static class ManifestType
{
    /// <summary>The media type of a manifest or index that can be pulled.</summary>
    /// <exception cref="RefusedException">It is neither, or announced as one and written as the other.</exception>
    public static string Of(byte[] bytes, string? announced, int bytesMax)
    {
        string? mediaType = MediaTypes.IsIndex(announced) || MediaTypes.IsManifest(announced) || MediaTypes.IsSchema1(announced)
            ? announced
            : Stated(bytes) ?? announced;
        if (MediaTypes.IsSchema1(mediaType))
        {
            throw new RefusedException(Error.NotImplemented($"media type \"{mediaType}\" is not supported, please rebuild the image"));
        }

        try
        {
            if (MediaTypes.IsIndex(mediaType))
            {
                ImageDocuments.ReadIndex(bytes, bytesMax, mediaType);
                return mediaType!;
            }

            if (MediaTypes.IsManifest(mediaType))
            {
                ImageDocuments.ReadManifest(bytes, bytesMax, mediaType);
                return mediaType!;
            }
        }
        catch (FormatException refused)
        {
            throw new RefusedException(Error.Invalid(refused.Message), refused);
        }

        throw new RefusedException(Error.Invalid($"unexpected media type \"{mediaType}\" for a manifest"));
    }

    private static string? Stated(byte[] bytes)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = ImageDocuments.DepthMax });
            return document.RootElement.ValueKind == JsonValueKind.Object
                && document.RootElement.TryGetProperty("mediaType", out JsonElement value) && value.ValueKind == JsonValueKind.String
                    ? value.GetString()
                    : null;
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}
