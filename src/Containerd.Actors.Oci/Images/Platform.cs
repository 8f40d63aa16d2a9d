// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Serialization;

namespace Containerd.Actors.Oci.Images;

/// <summary>Where an image runs, in Go's words: operating system, architecture and its variant.</summary>
/// <remarks>OCI image-spec, image-index.md, "platform".</remarks>
public sealed record Platform(
    [property: JsonPropertyName("os")] string Os,
    [property: JsonPropertyName("architecture")] string Architecture,
    [property: JsonPropertyName("variant")] string? Variant = null)
{
    /// <summary>Version of the operating system; only Windows images set it.</summary>
    [JsonPropertyName("os.version")]
    public string? OsVersion { get; init; }
}
