// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace Containerd.Actors.Linux.Files;

/// <summary>The file calls that Tmds.LibC lacks.</summary>
internal static unsafe partial class FileCalls
{
    /// <summary>Number of openat2(2); glibc before 2.43 has no wrapper for it. The same on every architecture.</summary>
    public const int OpenAt2 = 437;

    /// <summary>openat2(2): links whose text comes from the kernel, such as /proc/self/fd, are not followed.</summary>
    public const ulong ResolveNoMagicLinks = 0x02;

    /// <summary>openat2(2): the directory is the root for <c>..</c> and absolute links.</summary>
    public const ulong ResolveInRoot = 0x10;

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint getdents64(int fd, byte* entries, nuint length);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int renameat2(int oldDirectory, byte* oldName, int newDirectory, byte* newName, uint flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int fsetxattr(int fd, byte* name, byte* value, nuint size, int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int lsetxattr(byte* path, byte* name, byte* value, nuint size, int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint lgetxattr(byte* path, byte* name, byte* value, nuint size);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint llistxattr(byte* path, byte* names, nuint size);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint copy_file_range(int source, long* sourceOffset, int target, long* targetOffset, nuint length, uint flags);
}
