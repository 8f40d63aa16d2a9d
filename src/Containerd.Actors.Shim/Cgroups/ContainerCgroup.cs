// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Containerd.Actors.Linux.Cgroups;
using Containerd.Actors.Shim.Events;
using Google.Protobuf.WellKnownTypes;

namespace Containerd.Actors.Shim.Cgroups;

/// <summary>The cgroup of one container, found while its first process lived: what is in it and what it uses; cgroups(7).</summary>
internal sealed class ContainerCgroup
{
    private readonly CgroupReading _reading;

    private ContainerCgroup(CgroupReading reading) => _reading = reading;

    /// <summary>Directory of a controller; for the unified hierarchy that of all. Null where the host has none.</summary>
    public string? this[string controller] => IsUnified
        ? _reading.Directories.GetValueOrDefault("")
        : _reading.Directories.GetValueOrDefault(controller);

    /// <summary>Whether the host has one hierarchy for all controllers.</summary>
    public bool IsUnified => _reading.Mode == CgroupMode.Unified;

    /// <summary>The cgroup of a living process; null when it has ended.</summary>
    public static ContainerCgroup? Of(int pid)
    {
        try
        {
            return new ContainerCgroup(CgroupFiles.Read(pid));
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>Numbers of all processes in it and below it.</summary>
    public IEnumerable<uint> Pids()
    {
        string? directory = this["pids"] ?? this["devices"] ?? this["memory"];
        return directory is not null && Directory.Exists(directory)
            ? new[] { directory }.Concat(Directory.EnumerateDirectories(directory, "*", SearchOption.AllDirectories)).SelectMany(PidsIn)
            : [];
    }

    /// <summary>What it uses, as containerd's clients read it; null when the cgroup is gone.</summary>
    public Any? Metrics() => this[IsUnified ? "" : "memory"] is { } directory && Directory.Exists(directory)
        ? IsUnified
            ? EventPublisher.Pack("io.containerd.cgroups.v2.Metrics", MetricsV2.Read(new CgroupTexts(directory)))
            : EventPublisher.Pack("io.containerd.cgroups.v1.Metrics", MetricsV1.Read(controller => new CgroupTexts(this[controller])))
        : null;

    private static IEnumerable<uint> PidsIn(string directory) => new CgroupTexts(directory).Lines("cgroup.procs")
        .Select(line => uint.Parse(line, NumberStyles.None, CultureInfo.InvariantCulture));
}
