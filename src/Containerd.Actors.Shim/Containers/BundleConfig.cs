// SPDX-License-Identifier: Apache-2.0

using System.Text.Json;

namespace Containerd.Actors.Shim.Containers;

/// <summary>The few things the shim reads of a bundle's <c>config.json</c> (OCI runtime-spec, config.md).</summary>
/// <param name="Group">Containers of one group share a shim; null for one of its own.</param>
/// <param name="HasPidNamespace">Whether the container has process numbers of its own: its end is then the end of all its processes.</param>
/// <param name="HasHooks">Whether programs of the host are to be run at turns of its life.</param>
/// <param name="HasProcess">Whether it says what to run.</param>
internal sealed record BundleConfig(string? Group, bool HasPidNamespace, bool HasHooks, bool HasProcess)
{
    private static readonly string[] GroupAnnotations = ["io.containerd.runc.v2.group", "io.kubernetes.cri.sandbox-id"];

    /// <summary>Reads a bundle; one without configuration has defaults.</summary>
    /// <exception cref="FormatException">The configuration is not JSON of this form.</exception>
    public static BundleConfig Read(string bundle)
    {
        string path = Path.Combine(bundle, "config.json");
        return File.Exists(path) ? Parse(File.ReadAllBytes(path)) : new BundleConfig(null, true, false, false);
    }

    /// <summary>Reads the text of a configuration.</summary>
    /// <exception cref="FormatException">It is not JSON of this form.</exception>
    public static BundleConfig Parse(ReadOnlyMemory<byte> json)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            JsonElement root = document.RootElement;
            return new BundleConfig(GroupOf(root), HasOwnPids(root), root.TryGetProperty("hooks", out _), HasArguments(root));
        }
        catch (Exception wrong) when (wrong is JsonException or InvalidOperationException)
        {
            throw new FormatException($"config.json: {wrong.Message}", wrong);
        }
    }

    private static string? GroupOf(JsonElement root)
    {
        if (!root.TryGetProperty("annotations", out JsonElement annotations) || annotations.ValueKind != JsonValueKind.Object)
        {
            return null;
        }

        foreach (string name in GroupAnnotations)
        {
            if (annotations.TryGetProperty(name, out JsonElement value) && value.GetString() is { Length: > 0 } group)
            {
                return group;
            }
        }

        return null;
    }

    private static bool HasOwnPids(JsonElement root) =>
        root.TryGetProperty("linux", out JsonElement linux) && linux.ValueKind == JsonValueKind.Object
        && linux.TryGetProperty("namespaces", out JsonElement namespaces) && namespaces.ValueKind == JsonValueKind.Array
        && namespaces.EnumerateArray().Any(ns => ns.TryGetProperty("type", out JsonElement type) && type.GetString() == "pid"
            && !(ns.TryGetProperty("path", out JsonElement path) && path.GetString() is { Length: > 0 }));

    private static bool HasArguments(JsonElement root) =>
        root.TryGetProperty("process", out JsonElement process) && process.ValueKind == JsonValueKind.Object
        && process.TryGetProperty("args", out JsonElement arguments) && arguments.ValueKind == JsonValueKind.Array && arguments.GetArrayLength() > 0;
}
