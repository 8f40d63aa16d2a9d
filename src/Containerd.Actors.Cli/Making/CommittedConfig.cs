// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Containerd.Actors.Oci.Images;

namespace Containerd.Actors.Cli.Making;

/// <summary>What is written about a new layer.</summary>
/// <param name="DiffId">Digest of its archive.</param>
/// <param name="At">When it was made.</param>
/// <param name="CreatedBy">The command that changed the files.</param>
/// <param name="Author">Who; empty for nobody.</param>
/// <param name="Message">Why; empty for nothing.</param>
internal sealed record CommittedLayer(Digest DiffId, DateTimeOffset At, string CreatedBy, string Author, string Message);

/// <summary>Writes the configuration of an image with one layer more. What it does not know in the old one stays. Pure.</summary>
internal static class CommittedConfig
{
    /// <summary>The new configuration as JSON.</summary>
    /// <exception cref="FormatException">The old one is no configuration.</exception>
    public static byte[] Write(ReadOnlySpan<byte> config, CommittedLayer layer)
    {
        try
        {
            JsonObject document = JsonNode.Parse(config) as JsonObject ?? throw new FormatException("image config is not a JSON object");
            string at = layer.At.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture);
            document["created"] = at;
            if (layer.Author.Length > 0)
            {
                document["author"] = layer.Author;
            }

            Child(Child(document, "rootfs", new JsonObject()), "diff_ids", new JsonArray()).Add((JsonNode)layer.DiffId.ToString());
            var entry = new JsonObject { ["created"] = at, ["created_by"] = layer.CreatedBy };
            Set(entry, "author", layer.Author);
            Set(entry, "comment", layer.Message);
            Child(document, "history", new JsonArray()).Add((JsonNode)entry);
            using var bytes = new MemoryStream();
            using (var writer = new Utf8JsonWriter(bytes))
            {
                document.WriteTo(writer);
            }

            return bytes.ToArray();
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException or ArgumentException)
        {
            throw new FormatException($"image config: {malformed.Message}", malformed);
        }
    }

    private static T Child<T>(JsonObject parent, string name, T empty)
        where T : JsonNode
    {
        if (parent[name] is T known)
        {
            return known;
        }

        parent[name] = empty;
        return empty;
    }

    private static void Set(JsonObject entry, string name, string value)
    {
        if (value.Length > 0)
        {
            entry[name] = value;
        }
    }
}
