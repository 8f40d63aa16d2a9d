// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Linux.Files;

/// <summary>What kind of file an inode is; values are the <c>S_IFMT</c> bits of inode(7).</summary>
public enum FileKind
{
    /// <summary>No kind.</summary>
    None = 0,

    /// <summary>Named pipe.</summary>
    Fifo = 0x1000,

    /// <summary>Character device.</summary>
    CharacterDevice = 0x2000,

    /// <summary>Directory.</summary>
    Directory = 0x4000,

    /// <summary>Block device.</summary>
    BlockDevice = 0x6000,

    /// <summary>Regular file.</summary>
    Regular = 0x8000,

    /// <summary>Symbolic link.</summary>
    SymbolicLink = 0xA000,

    /// <summary>Unix socket.</summary>
    Socket = 0xC000,
}

/// <summary>A point in time as file systems store it.</summary>
/// <param name="Seconds">Seconds since 1970, negative before.</param>
/// <param name="Nanoseconds">0 to 999,999,999, forward from the second.</param>
public readonly record struct FileTime(long Seconds, long Nanoseconds)
{
    /// <summary>1970-01-01T00:00:00Z.</summary>
    public static FileTime Epoch => default;

    /// <summary>For <c>utimensat</c>: leave this time as it is.</summary>
    public static FileTime Unchanged => new(0, (1 << 30) - 2);
}

/// <summary>What statx(2) says about a file.</summary>
/// <param name="Kind">Kind of file.</param>
/// <param name="Mode">Permission bits with setuid, setgid and sticky (07777).</param>
/// <param name="UserId">Owner.</param>
/// <param name="GroupId">Group.</param>
/// <param name="Size">Apparent size in bytes.</param>
/// <param name="Blocks">Units of 512 bytes on disk.</param>
/// <param name="Inode">Number of the inode within <paramref name="Device"/>.</param>
/// <param name="Device">The file system it lies on.</param>
/// <param name="Links">Hard links.</param>
/// <param name="DeviceMajor">Of a device node.</param>
/// <param name="DeviceMinor">Of a device node.</param>
/// <param name="AccessedAt">Last access.</param>
/// <param name="ModifiedAt">Last change of the content.</param>
public readonly record struct FileStatus(
    FileKind Kind,
    uint Mode,
    uint UserId,
    uint GroupId,
    long Size,
    long Blocks,
    ulong Inode,
    ulong Device,
    uint Links,
    uint DeviceMajor,
    uint DeviceMinor,
    FileTime AccessedAt,
    FileTime ModifiedAt)
{
    /// <summary>True for a character device 0:0, by which overlayfs says that a name is gone.</summary>
    public bool IsWhiteout => Kind == FileKind.CharacterDevice && DeviceMajor == 0 && DeviceMinor == 0;
}
