// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;
using System.Text;
using Containerd.Actors.Linux.Interop;
using Microsoft.Win32.SafeHandles;
using Tmds.Linux;

namespace Containerd.Actors.Linux.Files;

/// <summary>Subvolumes of a btrfs; btrfs(5), <c>linux/btrfs.h</c>.</summary>
public static unsafe class Subvolumes
{
    /// <summary>Makes an empty subvolume.</summary>
    public static void Create(DirectoryHandle parent, string name)
    {
        using SafeFileHandle directory = Open(parent);
        byte* arguments = stackalloc byte[BtrfsCalls.ArgumentsBytes];
        Write(arguments, BtrfsCalls.NameOffset, name);
        Request(directory, BtrfsCalls.SUBVOL_CREATE, arguments, "BTRFS_IOC_SUBVOL_CREATE", parent, name);
    }

    /// <summary>Makes a subvolume with what another one holds; what either changes later is its own.</summary>
    public static void Snapshot(DirectoryHandle parent, string name, DirectoryHandle source, bool isReadOnly)
    {
        using SafeFileHandle directory = Open(parent);
        using SafeFileHandle from = Open(source);
        byte* arguments = stackalloc byte[BtrfsCalls.ArgumentsBytes];
        Write(arguments, BtrfsCalls.NameOffsetV2, name);
        *(long*)arguments = from.DangerousGetHandle();
        *(ulong*)(arguments + 16) = isReadOnly ? BtrfsCalls.SUBVOL_RDONLY : 0;
        Request(directory, BtrfsCalls.SNAP_CREATE_V2, arguments, "BTRFS_IOC_SNAP_CREATE_V2", parent, name);
    }

    /// <summary>Says whether anything in a subvolume may change.</summary>
    public static void SetReadOnly(DirectoryHandle subvolume, bool isReadOnly)
    {
        using SafeFileHandle directory = Open(subvolume);
        ulong flags;
        Request(directory, BtrfsCalls.SUBVOL_GETFLAGS, &flags, "BTRFS_IOC_SUBVOL_GETFLAGS", subvolume, ".");
        ulong wanted = isReadOnly ? flags | BtrfsCalls.SUBVOL_RDONLY : flags & ~BtrfsCalls.SUBVOL_RDONLY;
        if (wanted != flags)
        {
            Request(directory, BtrfsCalls.SUBVOL_SETFLAGS, &wanted, "BTRFS_IOC_SUBVOL_SETFLAGS", subvolume, ".");
        }
    }

    /// <summary>Bounds the bytes that a subvolume has of its own; false if quotas are not enabled on the file system.</summary>
    /// <param name="subvolume">The subvolume.</param>
    /// <param name="bytesMax">The bound; null for none, which takes away the one that a snapshot has from its source.</param>
    public static bool TryLimit(DirectoryHandle subvolume, long? bytesMax)
    {
        using SafeFileHandle directory = Open(subvolume);
        var limit = new BtrfsCalls.GroupLimit { Flags = BtrfsCalls.QGROUP_LIMIT_MAX_EXCL, ExclusiveMax = bytesMax is { } max ? (ulong)max : ulong.MaxValue };
        if (BtrfsCalls.ioctl(directory, BtrfsCalls.QGROUP_LIMIT, &limit) == 0)
        {
            return true;
        }

        // EINVAL from older kernels; ENOENT where the subvolume has no quota group.
        return Marshal.GetLastPInvokeError() is LinuxErrors.ENOTCONN or LinuxErrors.EINVAL or LinuxErrors.ENOENT
            ? false
            : throw LinuxErrors.Last("BTRFS_IOC_QGROUP_LIMIT", subvolume.Path);
    }

    /// <summary>Removes a subvolume with all that it holds, subvolumes too; a plain directory as well. Nothing happens if there is none.</summary>
    public static void Remove(DirectoryHandle parent, string name)
    {
        if (parent.TryStatus(name) is not { } status)
        {
            return;
        }

        if (!IsSubvolume(status))
        {
            parent.RemoveTree(name);
            return;
        }

        using (DirectoryHandle subvolume = parent.OpenChild(name))
        {
            SetReadOnly(subvolume, isReadOnly: false);
            if (TryDestroy(parent, name))
            {
                return;
            }

            // Deepest first: a subvolume that holds others cannot go, and one that is read-only keeps what is in it.
            List<string> nested = Nested(subvolume);
            foreach (string inner in nested)
            {
                using DirectoryHandle self = subvolume.OpenDirectory(inner);
                SetReadOnly(self, isReadOnly: false);
            }

            foreach (string inner in Enumerable.Reverse(nested))
            {
                int slash = inner.LastIndexOf('/');
                using DirectoryHandle around = slash < 0 ? subvolume.OpenChild(".") : subvolume.OpenDirectory(inner[..slash]);
                Destroy(around, inner[(slash + 1)..]);
            }
        }

        Destroy(parent, name);
    }

    private static bool IsSubvolume(FileStatus status) => status is { Kind: FileKind.Directory, Inode: BtrfsCalls.FirstInode };

    private static void Destroy(DirectoryHandle parent, string name)
    {
        if (!TryDestroy(parent, name))
        {
            throw LinuxErrors.Failure(LinuxErrors.ENOTEMPTY, "BTRFS_IOC_SNAP_DESTROY", $"{parent.Path}/{name}");
        }
    }

    private static bool TryDestroy(DirectoryHandle parent, string name)
    {
        using SafeFileHandle directory = Open(parent);
        byte* arguments = stackalloc byte[BtrfsCalls.ArgumentsBytes];
        Write(arguments, BtrfsCalls.NameOffset, name);
        return BtrfsCalls.ioctl(directory, BtrfsCalls.SNAP_DESTROY, arguments) == 0
            || (Marshal.GetLastPInvokeError() == LinuxErrors.ENOTEMPTY ? false : throw LinuxErrors.Last("BTRFS_IOC_SNAP_DESTROY", $"{parent.Path}/{name}"));
    }

    // Paths of subvolumes below, an outer one before those within it. Links are not followed: whoever wrote here is not trusted.
    private static List<string> Nested(DirectoryHandle root)
    {
        List<string> found = [];
        Stack<string> open = new([""]);
        while (open.TryPop(out string? path))
        {
            using DirectoryHandle directory = path.Length == 0 ? root.OpenChild(".") : root.OpenDirectory(path);
            foreach (string name in directory.List())
            {
                if (directory.TryStatus(name) is { Kind: FileKind.Directory } status)
                {
                    string child = path.Length == 0 ? name : $"{path}/{name}";
                    open.Push(child);
                    if (IsSubvolume(status))
                    {
                        found.Add(child);
                    }
                }
            }
        }

        return found;
    }

    // Handles of directories are for paths alone, and a request needs one that is open.
    private static SafeFileHandle Open(DirectoryHandle directory)
    {
        SafeFileHandle opened = BtrfsCalls.open($"/proc/self/fd/{directory.Number}", LibC.O_RDONLY | LibC.O_DIRECTORY | LibC.O_CLOEXEC);
        return opened.IsInvalid ? throw LinuxErrors.Last("open", directory.Path) : opened;
    }

    private static void Write(byte* arguments, int offset, string name)
    {
        Span<byte> all = new(arguments, BtrfsCalls.ArgumentsBytes);
        all.Clear();
        if (!Encoding.UTF8.TryGetBytes(name, all[offset..^1], out _))
        {
            throw LinuxErrors.Failure(LinuxErrors.ENAMETOOLONG, "ioctl", name);
        }
    }

    private static void Request(SafeFileHandle directory, nuint request, void* argument, string call, DirectoryHandle parent, string name)
    {
        if (BtrfsCalls.ioctl(directory, request, argument) != 0)
        {
            throw LinuxErrors.Last(call, $"{parent.Path}/{name}");
        }
    }
}
