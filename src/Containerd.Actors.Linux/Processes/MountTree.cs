// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;
using System.Text;
using Containerd.Actors.Linux.Processes.Interop;
using LinuxErrors = Containerd.Actors.Linux.Interop.LinuxErrors;

namespace Containerd.Actors.Linux.Processes;

/// <summary>What a dead process may have left behind on files: mounts and owners.</summary>
public static class MountTree
{
    private const int MountsMax = 10_000;

    /// <summary>Unmounts everything at and below a directory, the last mounted first. Nothing mounted is success.</summary>
    /// <exception cref="Core.Linux.LinuxException">umount2(2) failed.</exception>
    public static void Unmount(string path)
    {
        var below = path.TrimEnd('/') + "/";
        var points = File.ReadLines("/proc/self/mountinfo")
            .Select(line => Unescape(line.Split(' ', 6)[4]))
            .Where(point => point == path || point.StartsWith(below, StringComparison.Ordinal))
            .Take(MountsMax)
            .ToList();
        for (var i = points.Count - 1; i >= 0; i--)
        {
            if (ProcessCalls.umount2(points[i], ProcessCalls.UmountDetach | ProcessCalls.UmountNoFollow) != 0
                && Marshal.GetLastPInvokeError() is not (LinuxErrors.EINVAL or LinuxErrors.ENOENT))
            {
                throw LinuxErrors.Last("umount2", points[i]);
            }
        }
    }

    /// <summary>Gives a file to a group; the owner stays.</summary>
    /// <exception cref="Core.Linux.LinuxException">lchown(2) failed.</exception>
    public static void ChangeGroup(string path, uint gid)
    {
        if (ProcessCalls.lchown(path, uint.MaxValue, gid) != 0)
        {
            throw LinuxErrors.Last("lchown", path);
        }
    }

    // proc_pid_mountinfo(5): space, tab, newline and backslash are written as backslash and three octal digits.
    private static string Unescape(string point)
    {
        if (!point.Contains('\\', StringComparison.Ordinal))
        {
            return point;
        }

        var text = new StringBuilder(point.Length);
        for (var i = 0; i < point.Length; i++)
        {
            if (point[i] == '\\' && i + 3 < point.Length)
            {
                text.Append((char)Convert.ToInt32(point.Substring(i + 1, 3), 8));
                i += 3;
            }
            else
            {
                text.Append(point[i]);
            }
        }

        return text.ToString();
    }
}
