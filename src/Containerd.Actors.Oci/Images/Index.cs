// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace Containerd.Actors.Oci.Images;

/// <summary>Several manifests, usually one for each platform.</summary>
/// <remarks>OCI image-spec, image-index.md; docker calls it a manifest list. Read one with <see cref="ImageDocuments.ReadIndex"/>.</remarks>
public sealed record Index
{
    [JsonPropertyName("schemaVersion")]
    public int SchemaVersion { get; init; } = 2;

    [JsonPropertyName("mediaType")]
    public string? MediaType { get; init; }

    [JsonPropertyName("artifactType")]
    public string? ArtifactType { get; init; }

    [JsonPropertyName("manifests")]
    [AllowNull]
    public IReadOnlyList<Descriptor> Manifests { get; init => field = value ?? []; } = [];

    [JsonPropertyName("annotations")]
    public ImmutableSortedDictionary<string, string>? Annotations { get; init; }
}
