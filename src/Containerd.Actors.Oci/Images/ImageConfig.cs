// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace Containerd.Actors.Oci.Images;

/// <summary>What an image is made of and how a container of it starts.</summary>
/// <remarks>OCI image-spec, config.md. Read one with <see cref="ImageDocuments.ReadConfig"/>.</remarks>
public sealed record ImageConfig
{
    [JsonPropertyName("created")]
    public DateTimeOffset? Created { get; init; }

    [JsonPropertyName("author")]
    public string? Author { get; init; }

    [JsonPropertyName("architecture")]
    public string? Architecture { get; init; }

    [JsonPropertyName("variant")]
    public string? Variant { get; init; }

    [JsonPropertyName("os")]
    public string? Os { get; init; }

    [JsonPropertyName("os.version")]
    public string? OsVersion { get; init; }

    /// <summary>How a container of the image starts.</summary>
    [JsonPropertyName("config")]
    [AllowNull]
    public ContainerConfig Config { get; init => field = value ?? new(); } = new();

    /// <summary>The uncompressed layers by digest.</summary>
    [JsonPropertyName("rootfs")]
    [AllowNull]
    public RootFs RootFs { get; init => field = value ?? new(); } = new();

    [JsonPropertyName("history")]
    [AllowNull]
    public IReadOnlyList<HistoryEntry> History { get; init => field = value ?? []; } = [];

    /// <summary>Where the image runs, or null when it does not say so.</summary>
    [JsonIgnore]
    public Platform? Platform => Os is null || Architecture is null
        ? null
        : Platforms.Normalise(new Platform(Os, Architecture, Variant) { OsVersion = OsVersion });
}

/// <summary>How a container of an image starts: the <c>config</c> of an image's configuration.</summary>
public sealed record ContainerConfig
{
    /// <summary><c>user</c>, <c>uid</c>, <c>user:group</c> and so on; empty is root.</summary>
    [JsonPropertyName("User")]
    public string? User { get; init; }

    [JsonPropertyName("ExposedPorts")]
    public IReadOnlyDictionary<string, EmptyObject>? ExposedPorts { get; init; }

    /// <summary><c>NAME=value</c> entries.</summary>
    [JsonPropertyName("Env")]
    [AllowNull]
    public IReadOnlyList<string> Env { get; init => field = value ?? []; } = [];

    [JsonPropertyName("Entrypoint")]
    [AllowNull]
    public IReadOnlyList<string> Entrypoint { get; init => field = value ?? []; } = [];

    /// <summary>Default arguments of the entry point, or the whole command without one.</summary>
    [JsonPropertyName("Cmd")]
    [AllowNull]
    public IReadOnlyList<string> Cmd { get; init => field = value ?? []; } = [];

    [JsonPropertyName("Volumes")]
    public IReadOnlyDictionary<string, EmptyObject>? Volumes { get; init; }

    [JsonPropertyName("WorkingDir")]
    public string? WorkingDir { get; init; }

    [JsonPropertyName("Labels")]
    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    /// <summary>A signal by name (<c>SIGTERM</c>) or number.</summary>
    [JsonPropertyName("StopSignal")]
    public string? StopSignal { get; init; }
}

/// <summary>The layers of an image by the digests of their uncompressed archives.</summary>
public sealed record RootFs
{
    [JsonPropertyName("type")]
    public string Type { get; init; } = "layers";

    /// <summary>Lowest layer first; as many as the manifest has layers.</summary>
    [JsonPropertyName("diff_ids")]
    [AllowNull]
    public IReadOnlyList<Digest> DiffIds { get; init => field = value ?? []; } = [];
}

/// <summary>One step of an image's making.</summary>
public sealed record HistoryEntry
{
    [JsonPropertyName("created")]
    public DateTimeOffset? Created { get; init; }

    [JsonPropertyName("created_by")]
    public string? CreatedBy { get; init; }

    [JsonPropertyName("author")]
    public string? Author { get; init; }

    [JsonPropertyName("comment")]
    public string? Comment { get; init; }

    /// <summary>True when the step made no layer.</summary>
    [JsonPropertyName("empty_layer")]
    public bool EmptyLayer { get; init; }
}

/// <summary>The value of a Go set in JSON: <c>{}</c>.</summary>
public sealed record EmptyObject;
