// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using System.Globalization;
using Containerd.Actors.Linux.Mounts;

namespace Containerd.Actors.Linux.Cgroups;

/// <summary>How the cgroup hierarchies of a host are laid out.</summary>
public enum CgroupMode
{
    /// <summary>None is mounted.</summary>
    None,

    /// <summary>One hierarchy per controller.</summary>
    Legacy,

    /// <summary>As legacy, with a unified hierarchy beside.</summary>
    Hybrid,

    /// <summary>One hierarchy for all.</summary>
    Unified,
}

/// <summary>One line of <c>/proc/PID/cgroup</c>; cgroups(7).</summary>
/// <param name="Hierarchy">0 for the unified one.</param>
/// <param name="Controllers">Empty for the unified one; <c>name=systemd</c> for a named one.</param>
/// <param name="Path">From the root of the hierarchy as this process sees it.</param>
public sealed record CgroupEntry(int Hierarchy, ImmutableArray<string> Controllers, string Path);

/// <summary>What a process's cgroups use. Values are null where the host does not tell.</summary>
/// <param name="Mode">Layout of the host.</param>
/// <param name="Directories">Directory per controller; the unified one under the empty name.</param>
/// <param name="MemoryCurrent">Bytes in use.</param>
/// <param name="OutOfMemoryKills">Processes the kernel ended for want of memory.</param>
/// <param name="Pids">Number of tasks.</param>
public sealed record CgroupReading(
    CgroupMode Mode, ImmutableSortedDictionary<string, string> Directories, long? MemoryCurrent, long? OutOfMemoryKills, long? Pids);

/// <summary>Finds the cgroups of processes on hosts with v1, hybrid and v2 hierarchies.</summary>
public static class CgroupFiles
{
    /// <summary>The cgroups of a process with what they use.</summary>
    /// <exception cref="IOException">There is no such process.</exception>
    public static CgroupReading Read(int pid)
    {
        ImmutableArray<CgroupEntry> entries = Parse(File.ReadAllText($"/proc/{pid}/cgroup"));
        ImmutableArray<MountinfoEntry> mounts = Mountinfo.Read();
        ImmutableSortedDictionary<string, string> directories = Directories(entries, mounts);
        string? unified = directories.GetValueOrDefault(string.Empty);
        return new CgroupReading(
            Mode(mounts),
            directories,
            directories.TryGetValue("memory", out string? memory) ? Number(memory, "memory.usage_in_bytes") : Number(unified, "memory.current"),
            memory is not null ? Keyed(memory, "memory.oom_control", "oom_kill") : Keyed(unified, "memory.events", "oom_kill"),
            directories.TryGetValue("pids", out string? pids) ? Number(pids, "pids.current") : Number(unified, "pids.current"));
    }

    /// <summary>Parses <c>/proc/PID/cgroup</c>; lines that are none are left out.</summary>
    public static ImmutableArray<CgroupEntry> Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        ImmutableArray<CgroupEntry>.Builder entries = ImmutableArray.CreateBuilder<CgroupEntry>();
        foreach (string line in text.Split('\n'))
        {
            // The path may contain colons.
            string[] fields = line.Split(':', 3);
            if (fields.Length == 3 && int.TryParse(fields[0], NumberStyles.None, CultureInfo.InvariantCulture, out int hierarchy))
            {
                entries.Add(new CgroupEntry(hierarchy, fields[1].Length == 0 ? [] : [.. fields[1].Split(',')], fields[2]));
            }
        }

        return entries.ToImmutable();
    }

    /// <summary>The layout a mount table shows.</summary>
    public static CgroupMode Mode(ImmutableArray<MountinfoEntry> mounts)
    {
        bool legacy = mounts.Any(mount => mount.Type == "cgroup");
        bool unified = mounts.Any(mount => mount.Type == "cgroup2");
        return (legacy, unified) switch
        {
            (true, true) => CgroupMode.Hybrid,
            (true, false) => CgroupMode.Legacy,
            (false, true) => CgroupMode.Unified,
            _ => CgroupMode.None,
        };
    }

    /// <summary>Where the cgroups of a process are in the file tree; controllers whose hierarchy is not mounted are left out.</summary>
    public static ImmutableSortedDictionary<string, string> Directories(
        ImmutableArray<CgroupEntry> entries, ImmutableArray<MountinfoEntry> mounts)
    {
        ImmutableSortedDictionary<string, string>.Builder directories = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (CgroupEntry entry in entries)
        {
            foreach (string controller in entry.Controllers.IsEmpty ? [string.Empty] : entry.Controllers)
            {
                MountinfoEntry? mount = mounts.FirstOrDefault(candidate => controller.Length == 0
                    ? candidate.Type == "cgroup2"
                    : candidate.Type == "cgroup" && candidate.SuperOptions.Split(',').Contains(controller, StringComparer.Ordinal));
                if (mount is not null && Below(mount, entry.Path) is { } directory)
                {
                    directories[controller] = directory;
                }
            }
        }

        return directories.ToImmutable();
    }

    // In a container the mount shows only a part of the hierarchy: its root is cut from the path.
    private static string? Below(MountinfoEntry mount, string path)
    {
        if (mount.Root == "/")
        {
            return (mount.MountPoint + path).TrimEnd('/');
        }

        return path == mount.Root || path.StartsWith(mount.Root + "/", StringComparison.Ordinal)
            ? mount.MountPoint + path[mount.Root.Length..]
            : null;
    }

    private static long? Number(string? directory, string file) =>
        Text(directory, file) is { } text && long.TryParse(text.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out long value)
            ? value
            : null;

    private static long? Keyed(string? directory, string file, string key)
    {
        foreach (string line in (Text(directory, file) ?? string.Empty).Split('\n'))
        {
            string[] fields = line.Split(' ');
            if (fields.Length == 2 && fields[0] == key
                && long.TryParse(fields[1], NumberStyles.None, CultureInfo.InvariantCulture, out long value))
            {
                return value;
            }
        }

        return null;
    }

    // Controllers come and go with the host's configuration and cgroups with their processes: a file that is away tells nothing.
    private static string? Text(string? directory, string file)
    {
        try
        {
            return directory is null ? null : File.ReadAllText($"{directory}/{file}");
        }
        catch (IOException)
        {
            return null;
        }
    }
}
