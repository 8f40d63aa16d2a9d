// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace Containerd.Actors.Linux.Files;

/// <summary>Asks the kernel whether it would mount an overlay.</summary>
public static unsafe partial class OverlayProbe
{
    private const int Detach = 2;

    /// <summary>Mounts an overlay on a directory and unmounts it at once.</summary>
    /// <exception cref="Core.Linux.LinuxException">The kernel refused; its log says more.</exception>
    public static void MountOnce(string target, string options)
    {
        fixed (byte* source = "overlay\0"u8, path = DirectoryHandle.Terminated(target), text = DirectoryHandle.Terminated(options))
        {
            if (Mount(source, path, source, 0, text) != 0)
            {
                throw FileErrors.Last("mount", target);
            }

            if (Unmount(path, Detach) != 0)
            {
                throw FileErrors.Last("umount2", target);
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "mount", SetLastError = true)]
    private static partial int Mount(byte* source, byte* target, byte* type, nuint flags, byte* options);

    [LibraryImport("libc", EntryPoint = "umount2", SetLastError = true)]
    private static partial int Unmount(byte* target, int flags);
}
