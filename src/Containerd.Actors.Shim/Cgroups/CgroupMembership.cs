// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Containerd.Actors.Linux.Mounts;

namespace Containerd.Actors.Shim.Cgroups;

/// <summary>Puts a process into a cgroup of a given path in every hierarchy.</summary>
internal static class CgroupMembership
{
    /// <summary>Makes the cgroup where it is missing, and moves the process there.</summary>
    /// <exception cref="IOException">A hierarchy refused.</exception>
    public static void Add(string path, int pid)
    {
        foreach (MountinfoEntry mount in Mountinfo.Read().Where(mount => mount.Type is "cgroup" or "cgroup2"))
        {
            string directory = mount.MountPoint + "/" + path.Trim('/');
            Directory.CreateDirectory(directory);
            File.WriteAllText(Path.Combine(directory, "cgroup.procs"), pid.ToString(CultureInfo.InvariantCulture));
        }
    }
}
