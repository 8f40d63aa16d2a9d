// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Containerd.Actors.Linux.Interop;

/// <summary><c>linux/btrfs.h</c>: requests to a directory of a btrfs.</summary>
internal static partial class BtrfsCalls
{
    internal const nuint SUBVOL_CREATE = 0x5000940E; // _IOW(0x94, 14, struct btrfs_ioctl_vol_args)
    internal const nuint SNAP_DESTROY = 0x5000940F; // _IOW(0x94, 15, struct btrfs_ioctl_vol_args)
    internal const nuint SNAP_CREATE_V2 = 0x50009417; // _IOW(0x94, 23, struct btrfs_ioctl_vol_args_v2)
    internal const nuint SUBVOL_GETFLAGS = 0x80089419; // _IOR(0x94, 25, __u64)
    internal const nuint SUBVOL_SETFLAGS = 0x4008941A; // _IOW(0x94, 26, __u64)
    internal const nuint QGROUP_LIMIT = 0x8030942B; // _IOR(0x94, 43, struct btrfs_ioctl_qgroup_limit_args)

    internal const ulong SUBVOL_RDONLY = 2;
    internal const ulong QGROUP_LIMIT_MAX_EXCL = 2;

    /// <summary>Size of both structures of arguments; the name is the last member and ends with a zero.</summary>
    internal const int ArgumentsBytes = 4096;

    /// <summary>Offset of the name in <c>struct btrfs_ioctl_vol_args</c>, behind a descriptor.</summary>
    internal const int NameOffset = 8;

    /// <summary>Offset of the name in <c>struct btrfs_ioctl_vol_args_v2</c>, behind descriptor, transaction, flags and four unused words.</summary>
    internal const int NameOffsetV2 = 56;

    /// <summary>The root directory of every subvolume has this inode number.</summary>
    internal const ulong FirstInode = 256;

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial SafeFileHandle open(string path, int flags);

    [LibraryImport("libc", SetLastError = true)]
    internal static unsafe partial int ioctl(SafeFileHandle fd, nuint request, void* argument);

    /// <summary><c>struct btrfs_ioctl_qgroup_limit_args</c>; group 0 is that of the subvolume itself.</summary>
    internal struct GroupLimit
    {
        public ulong Group;
        public ulong Flags;
        public ulong ReferencedMax;
        public ulong ExclusiveMax;
        public ulong ReferencedReserved;
        public ulong ExclusiveReserved;
    }
}
