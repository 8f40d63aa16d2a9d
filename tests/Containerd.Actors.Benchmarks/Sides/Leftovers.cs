// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Globalization;
using Containerd.Actors.Linux.Mounts;
using Containerd.Actors.TestKit.Daemons;

namespace Containerd.Actors.Benchmarks.Sides;

/// <summary>What a daemon that ended leaves on the machine by design: shims, containers, and what belongs to them.</summary>
internal sealed class Leftovers(ServedDaemon daemon, string ns)
{
    private const string Cgroups = "/sys/fs/cgroup";
    private const string OciState = "/run/containerd/runc";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Removes it all, each only by this daemon's address and the benchmark's namespace. Legal once the daemon has ended.</summary>
    public async Task RemoveAsync()
    {
        // The init processes first: a shim that sees its container end takes nothing else along.
        IReadOnlyList<int> shims = ShimProcesses.Of(daemon.Address);
        int[] all = [.. shims.SelectMany(ChildrenOf), .. shims];
        foreach (int pid in all)
        {
            Kill(pid);
        }

        await GoneAsync(all);
        if (Directory.Exists(daemon.Work))
        {
            RemoveSockets();
            Mounter.UnmountRecursive(daemon.State, Mounter.Detach);
        }

        await RemoveNamespaceAsync(ns);
    }

    /// <summary>Removes what an OCI runtime leaves of a containerd namespace that is not used any more.</summary>
    public static async Task RemoveNamespaceAsync(string ns)
    {
        string states = Path.Combine(OciState, ns);
        if (Directory.Exists(states))
        {
            Directory.Delete(states, recursive: true);
        }

        // Version 1 has one tree for each controller, version 2 one for all.
        string[] cgroups = [.. Directory.EnumerateDirectories(Cgroups).Append(Cgroups).Select(tree => Path.Combine(tree, ns)).Where(Directory.Exists)];
        int[] processes = [.. cgroups.SelectMany(End)];
        await GoneAsync(processes);
        foreach (string cgroup in cgroups)
        {
            RemoveCgroup(cgroup);
        }
    }

    // Thaws it first: an OCI runtime that is killed while it ends a container leaves it frozen, and what is frozen does not die.
    private static List<int> End(string cgroup)
    {
        List<int> processes = [.. Directory.EnumerateDirectories(cgroup).SelectMany(End)];
        Write(Path.Combine(cgroup, "freezer.state"), "THAWED");
        Write(Path.Combine(cgroup, "cgroup.freeze"), "0");
        processes.AddRange(File.ReadLines(Path.Combine(cgroup, "cgroup.procs")).Select(pid => int.Parse(pid, CultureInfo.InvariantCulture)));
        processes.ForEach(Kill);
        return processes;
    }

    private static void Write(string file, string value)
    {
        if (File.Exists(file))
        {
            File.WriteAllText(file, value);
        }
    }

    // Shims of containerd's listen below /run/containerd/s and write the place into the bundle.
    private void RemoveSockets()
    {
        string bundles = Path.Combine(daemon.State, "io.containerd.runtime.v2.task", ns);
        if (!Directory.Exists(bundles))
        {
            return;
        }

        foreach (string address in Directory.EnumerateDirectories(bundles).Select(bundle => Path.Combine(bundle, "address")).Where(File.Exists))
        {
            string socket = File.ReadAllText(address).Trim().Replace("unix://", "", StringComparison.Ordinal);
            if (socket.StartsWith('/'))
            {
                File.Delete(socket);
            }
        }
    }

    private static IEnumerable<int> ChildrenOf(int pid)
    {
        try
        {
            return [.. Directory.EnumerateDirectories($"/proc/{pid}/task")
                .SelectMany(thread => File.ReadAllText(Path.Combine(thread, "children")).Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .Select(child => int.Parse(child, CultureInfo.InvariantCulture))];
        }
        catch (IOException)
        {
            return [];
        }
    }

    private static void Kill(int pid)
    {
        try
        {
            using Process process = Process.GetProcessById(pid);
            process.Kill();
        }
        catch (Exception gone) when (gone is ArgumentException or InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            // It ended by itself.
        }
    }

    private static async Task GoneAsync(int[] processes)
    {
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(10));
        long started = Stopwatch.GetTimestamp();
        while (processes.Any(pid => Directory.Exists($"/proc/{pid}")) && Stopwatch.GetElapsedTime(started) < Patience)
        {
            await timer.WaitForNextTickAsync();
        }
    }

    // A cgroup is a directory whose files are not removed; only its own cgroups are in the way.
    private static void RemoveCgroup(string path)
    {
        foreach (string below in Directory.EnumerateDirectories(path))
        {
            RemoveCgroup(below);
        }

        try
        {
            Directory.Delete(path, recursive: false);
        }
        catch (IOException)
        {
            // Its last process is not gone yet; an empty cgroup that stays costs nothing.
        }
    }
}
