// SPDX-License-Identifier: Apache-2.0

using System.Text.Json;
using System.Text.Json.Serialization;

namespace Containerd.Actors.Oci.Images;

/// <summary>Writes a digest as the JSON string <c>algorithm:hex</c> and refuses any other form.</summary>
public sealed class DigestJsonConverter : JsonConverter<Digest>
{
    // The longest registered digest, sha512, has 135 characters.
    private const int TextLengthMax = 135;

    /// <inheritdoc />
    public override Digest Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType != JsonTokenType.String)
        {
            throw new JsonException("a digest is a string");
        }

        string text = reader.GetString()!;
        return Digest.TryParse(text, out Digest digest)
            ? digest
            : throw new JsonException($"\"{(text.Length > TextLengthMax ? text[..TextLengthMax] + "…" : text)}\" failed validation");
    }

    /// <inheritdoc />
    public override void Write(Utf8JsonWriter writer, Digest value, JsonSerializerOptions options)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteStringValue(value.ToString());
    }
}
