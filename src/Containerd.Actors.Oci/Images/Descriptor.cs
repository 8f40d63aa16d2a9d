// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Containerd.Actors.Oci.Images;

/// <summary>Points at content: what it is, its digest and its size in bytes.</summary>
/// <remarks>OCI image-spec, descriptor.md.</remarks>
public sealed record Descriptor(
    [property: JsonPropertyName("mediaType")] string MediaType,
    [property: JsonPropertyName("digest")] Digest Digest,
    [property: JsonPropertyName("size")] long Size)
{
    /// <summary>Free-form facts; an absent map is empty.</summary>
    [JsonPropertyName("annotations")]
    public ImmutableSortedDictionary<string, string>? Annotations { get; init; }

    /// <summary>Places beside the registry where the content may be fetched.</summary>
    [JsonPropertyName("urls")]
    public ImmutableArray<string>? Urls { get; init; }

    /// <summary>In an index: the kind of an artifact that is not an image.</summary>
    [JsonPropertyName("artifactType")]
    public string? ArtifactType { get; init; }

    /// <summary>In an index: the platform on which the manifest runs.</summary>
    [JsonPropertyName("platform")]
    public Platform? Platform { get; init; }
}
