// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace Containerd.Actors.Oci.Images;

/// <summary>One image for one platform: its configuration and its layers, lowest first.</summary>
/// <remarks>OCI image-spec, manifest.md. Read one with <see cref="ImageDocuments.ReadManifest"/>.</remarks>
public sealed record Manifest
{
    [JsonPropertyName("schemaVersion")]
    public int SchemaVersion { get; init; } = 2;

    [JsonPropertyName("mediaType")]
    public string? MediaType { get; init; }

    /// <summary>The kind of an artifact that is not an image.</summary>
    [JsonPropertyName("artifactType")]
    public string? ArtifactType { get; init; }

    /// <summary>The configuration; only a manifest that failed validation lacks one.</summary>
    [JsonPropertyName("config")]
    public Descriptor? Config { get; init; }

    /// <summary>The layers, lowest first.</summary>
    [JsonPropertyName("layers")]
    [AllowNull]
    public IReadOnlyList<Descriptor> Layers { get; init => field = value ?? []; } = [];

    /// <summary>The manifest that this one says something about.</summary>
    [JsonPropertyName("subject")]
    public Descriptor? Subject { get; init; }

    [JsonPropertyName("annotations")]
    public ImmutableSortedDictionary<string, string>? Annotations { get; init; }
}
