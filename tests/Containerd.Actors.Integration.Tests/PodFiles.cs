// SPDX-License-Identifier: Apache-2.0

using System.Text.Json;
using System.Text.Json.Nodes;
using Containerd.Types;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Containerd.Actors.Integration.Tests;

/// <summary>What containers that sleep need: a root file system and specs.</summary>
internal sealed class PodFiles : IDisposable
{
    private const string SpecType = "types.containerd.io/opencontainers/runtime-spec/1/Spec";
    private readonly string _root = Directory.CreateTempSubdirectory("pause-").FullName;

    public PodFiles()
    {
        foreach (string directory in new[] { "bin", "proc", "dev" })
        {
            Directory.CreateDirectory(Path.Combine(_root, directory));
        }

        File.Copy("/bin/busybox", Path.Combine(_root, "bin", "sleep"));
    }

    /// <summary>The root file system.</summary>
    public Mount Root => new() { Type = "bind", Source = _root, Options = { "rbind", "ro" } };

    /// <summary>A container that sleeps, with namespaces and a cgroup of its own.</summary>
    public static Any Spec(string id, params (string Name, string Value)[] annotations)
    {
        JsonNode spec = JsonNode.Parse($$$"""
            {"ociVersion":"1.0.2","process":{"cwd":"/","args":["/bin/sleep","600"],"user":{"uid":0,"gid":0}},"root":{"path":"rootfs","readonly":true},
            "mounts":[{"destination":"/proc","type":"proc","source":"proc"},{"destination":"/dev","type":"tmpfs","source":"tmpfs"}],
            "linux":{"cgroupsPath":"/actors-{{{id}}}","namespaces":[{"type":"pid"},{"type":"mount"},{"type":"ipc"},{"type":"uts"}]}}
            """)!;
        spec["annotations"] = new JsonObject(annotations.Select(each => KeyValuePair.Create<string, JsonNode?>(each.Name, each.Value)));
        return new Any { TypeUrl = SpecType, Value = ByteString.CopyFrom(JsonSerializer.SerializeToUtf8Bytes(spec)) };
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);
}
