// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Containerd.Actors.Linux.Interop;

/// <summary><c>sys/mount.h</c>: the new mount API, which Tmds.LibC lacks. Kernel 5.2, glibc 2.36.</summary>
internal static partial class MountCalls
{
    internal const uint FSOPEN_CLOEXEC = 1;
    internal const uint FSCONFIG_SET_FLAG = 0;
    internal const uint FSCONFIG_SET_STRING = 1;
    internal const uint FSCONFIG_CMD_CREATE = 6;
    internal const uint FSMOUNT_CLOEXEC = 1;
    internal const uint MOVE_MOUNT_F_EMPTY_PATH = 4;
    internal const uint OPEN_TREE_CLONE = 1;
    internal const uint OPEN_TREE_CLOEXEC = 0x80000;
    internal const int AT_FDCWD = -100;
    internal const int AT_EMPTY_PATH = 0x1000;
    internal const int AT_RECURSIVE = 0x8000;

    internal const ulong MOUNT_ATTR_IDMAP = 0x00100000;

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial SafeFileHandle fsopen(string fsname, uint flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int fsconfig(SafeFileHandle fd, uint cmd, string? key, string? value, int aux);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial SafeFileHandle fsmount(SafeFileHandle fd, uint flags, uint attributes);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int move_mount(SafeFileHandle from, string fromPath, int to, string toPath, uint flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial SafeFileHandle open_tree(int directory, string path, uint flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static unsafe partial int mount_setattr(SafeFileHandle fd, string path, uint flags, MountAttributes* attributes, nuint size);

    /// <summary><c>struct mount_attr</c>.</summary>
    internal struct MountAttributes
    {
        public ulong Set;
        public ulong Clear;
        public ulong Propagation;
        public ulong UserNamespace;
    }
}
