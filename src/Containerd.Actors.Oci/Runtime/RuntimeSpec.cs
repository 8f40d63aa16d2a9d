// SPDX-License-Identifier: Apache-2.0

using System.Text.Json;
using System.Text.Json.Serialization;

namespace Containerd.Actors.Oci.Runtime;

/// <summary>What a runtime is told about one container: its <c>config.json</c>.</summary>
/// <remarks>OCI runtime-spec, config.md and config-linux.md; only what <see cref="RuntimeSpecBuilder"/> sets is modelled.</remarks>
public sealed record RuntimeSpec
{
    /// <summary>The oldest version that has all that is set here: crun before 1.9 takes no 1.1 and later.</summary>
    [JsonPropertyName("ociVersion")]
    public string OciVersion { get; init; } = "1.0.2";

    [JsonPropertyName("process")]
    public required ProcessSpec Process { get; init; }

    [JsonPropertyName("root")]
    public required RootSpec Root { get; init; }

    [JsonPropertyName("hostname")]
    public string? Hostname { get; init; }

    /// <summary>In the order in which they are mounted.</summary>
    [JsonPropertyName("mounts")]
    public IReadOnlyList<MountSpec> Mounts { get; init; } = [];

    [JsonPropertyName("annotations")]
    public IReadOnlyDictionary<string, string>? Annotations { get; init; }

    [JsonPropertyName("linux")]
    public required LinuxSpec Linux { get; init; }

    /// <summary>The <c>type_url</c> under which clients put a spec into an <c>Any</c>; the value is the JSON.</summary>
    [JsonIgnore]
    public static string TypeUrl => "types.containerd.io/opencontainers/runtime-spec/1/Spec";

    /// <summary>The spec as compact UTF-8 JSON.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, RuntimeJson.Default.RuntimeSpec);
}

/// <summary>The container's first process, or one that is executed in it later.</summary>
public sealed record ProcessSpec
{
    /// <summary>The <c>type_url</c> of a process in an <c>Any</c>.</summary>
    [JsonIgnore]
    public static string TypeUrl => "types.containerd.io/opencontainers/runtime-spec/1/Process";

    [JsonPropertyName("terminal")]
    public bool Terminal { get; init; }

    [JsonPropertyName("user")]
    public UserSpec User { get; init; } = new(0, 0);

    [JsonPropertyName("args")]
    public IReadOnlyList<string> Args { get; init; } = [];

    [JsonPropertyName("env")]
    public IReadOnlyList<string> Env { get; init; } = [];

    [JsonPropertyName("cwd")]
    public string Cwd { get; init; } = "/";

    [JsonPropertyName("capabilities")]
    public CapabilitiesSpec? Capabilities { get; init; }

    [JsonPropertyName("rlimits")]
    public IReadOnlyList<RlimitSpec>? Rlimits { get; init; }

    [JsonPropertyName("noNewPrivileges")]
    public bool NoNewPrivileges { get; init; }

    /// <summary>The process as compact UTF-8 JSON.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, RuntimeJson.Default.ProcessSpec);

    /// <summary>A process from the JSON of a spec; null when the spec has none.</summary>
    /// <exception cref="JsonException">The JSON is no runtime spec.</exception>
    public static ProcessSpec? FromSpecJson(ReadOnlySpan<byte> json) =>
        JsonSerializer.Deserialize(json, RuntimeJson.Default.RuntimeSpec)?.Process;
}

/// <summary>Who a process runs as.</summary>
public sealed record UserSpec(
    [property: JsonPropertyName("uid")] uint Uid,
    [property: JsonPropertyName("gid")] uint Gid)
{
    [JsonPropertyName("additionalGids")]
    public IReadOnlyList<uint>? AdditionalGids { get; init; }
}

/// <summary>The capability sets of a process.</summary>
public sealed record CapabilitiesSpec(
    [property: JsonPropertyName("bounding")] IReadOnlyList<string> Bounding,
    [property: JsonPropertyName("effective")] IReadOnlyList<string> Effective,
    [property: JsonPropertyName("permitted")] IReadOnlyList<string> Permitted);

/// <summary>One resource limit.</summary>
public sealed record RlimitSpec(
    [property: JsonPropertyName("type")] string Type,
    [property: JsonPropertyName("hard")] ulong Hard,
    [property: JsonPropertyName("soft")] ulong Soft);

/// <summary>The container's root file system.</summary>
public sealed record RootSpec(
    [property: JsonPropertyName("path")] string Path,
    [property: JsonPropertyName("readonly")] bool Readonly = false);

/// <summary>A mount inside of the container.</summary>
public sealed record MountSpec(
    [property: JsonPropertyName("destination")] string Destination,
    [property: JsonPropertyName("type")] string Type,
    [property: JsonPropertyName("source")] string Source,
    [property: JsonPropertyName("options")] IReadOnlyList<string> Options);

/// <summary>What only Linux has.</summary>
public sealed record LinuxSpec
{
    [JsonPropertyName("resources")]
    public ResourcesSpec? Resources { get; init; }

    [JsonPropertyName("cgroupsPath")]
    public string? CgroupsPath { get; init; }

    [JsonPropertyName("namespaces")]
    public IReadOnlyList<LinuxNamespaceSpec> Namespaces { get; init; } = [];

    [JsonPropertyName("maskedPaths")]
    public IReadOnlyList<string>? MaskedPaths { get; init; }

    [JsonPropertyName("readonlyPaths")]
    public IReadOnlyList<string>? ReadonlyPaths { get; init; }
}

/// <summary>A kernel namespace: a new one, or that at a path.</summary>
public sealed record LinuxNamespaceSpec(
    [property: JsonPropertyName("type")] string Type,
    [property: JsonPropertyName("path")] string? Path = null);

/// <summary>The limits of the container's cgroup.</summary>
public sealed record ResourcesSpec
{
    [JsonPropertyName("devices")]
    public IReadOnlyList<DeviceRuleSpec>? Devices { get; init; }

    [JsonPropertyName("memory")]
    public MemorySpec? Memory { get; init; }

    [JsonPropertyName("cpu")]
    public CpuSpec? Cpu { get; init; }
}

/// <summary>A rule on devices; later rules win.</summary>
public sealed record DeviceRuleSpec(
    [property: JsonPropertyName("allow")] bool Allow,
    [property: JsonPropertyName("type")] string? Type,
    [property: JsonPropertyName("major")] long? Major,
    [property: JsonPropertyName("minor")] long? Minor,
    [property: JsonPropertyName("access")] string Access);

/// <summary>Memory limit in bytes.</summary>
public sealed record MemorySpec([property: JsonPropertyName("limit")] long Limit);

/// <summary>Processor limits: relative weight, and microseconds of each period.</summary>
public sealed record CpuSpec
{
    [JsonPropertyName("shares")]
    public ulong? Shares { get; init; }

    [JsonPropertyName("quota")]
    public long? Quota { get; init; }

    [JsonPropertyName("period")]
    public ulong? Period { get; init; }
}

/// <summary>Source-generated JSON of runtime specs.</summary>
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(RuntimeSpec))]
[JsonSerializable(typeof(ProcessSpec))]
public sealed partial class RuntimeJson : JsonSerializerContext;
