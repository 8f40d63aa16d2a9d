// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;
using System.Text;
using Containerd.Actors.Core.Linux;
using Containerd.Actors.Linux.Interop;
using Microsoft.Win32.SafeHandles;

namespace Containerd.Actors.Linux.Trees;

/// <summary>Directory trees whose content is not trusted.</summary>
public static class Tree
{
    // Each level holds a descriptor; deeper trees than this come from an attacker.
    private const int DepthMax = 512;
    private const int EntryHeader = 19;

    /// <summary>
    /// Removes a file or a directory with all in it. Symbolic links are removed, never followed, whoever changes the tree meanwhile: every
    /// step goes by descriptor. A missing path is not a failure. What is mounted inside is not unmounted: EBUSY.
    /// </summary>
    /// <exception cref="LinuxException">Something could not be removed; the path names the tree.</exception>
    /// <exception cref="OperationCanceledException">Given up between two entries; what was removed stays removed.</exception>
    public static unsafe void Remove(string path, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        fixed (byte* name = Encoding.UTF8.GetBytes(path.TrimEnd('/') + "\0"))
        {
            RemoveEntry(MountCalls.AT_FDCWD, name, path, 0, cancellationToken);
        }
    }

    private static unsafe void RemoveEntry(int directory, byte* name, string path, int depth, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (FileSystemCalls.unlinkat(directory, name, 0) == 0)
        {
            return;
        }

        // unlink(2) of a directory: EISDIR on Linux, EPERM by POSIX and on some file systems.
        int errno = Marshal.GetLastPInvokeError();
        if (errno == LinuxErrors.ENOENT)
        {
            return;
        }

        if (errno is not (LinuxErrors.EISDIR or LinuxErrors.EPERM))
        {
            throw new LinuxException(LinuxErrors.Of(errno, "unlinkat", path));
        }

        if (depth >= DepthMax)
        {
            throw new LinuxException(LinuxErrors.Of(40, "openat", path));
        }

        RemoveContent(directory, name, path, depth, errno, cancellationToken);
        if (FileSystemCalls.unlinkat(directory, name, FileSystemCalls.AT_REMOVEDIR) != 0 && Marshal.GetLastPInvokeError() != LinuxErrors.ENOENT)
        {
            throw LinuxErrors.Last("unlinkat", path);
        }
    }

    private static unsafe void RemoveContent(
        int directory, byte* name, string path, int depth, int unlinkErrno, CancellationToken cancellationToken)
    {
        using SafeFileHandle opened = FileSystemCalls.openat(
            directory,
            name,
            FileSystemCalls.O_RDONLY | FileSystemCalls.O_CLOEXEC | FileSystemCalls.O_DIRECTORY | FileSystemCalls.O_NOFOLLOW);
        if (opened.IsInvalid)
        {
            int errno = Marshal.GetLastPInvokeError();
            throw new LinuxException(errno == LinuxErrors.ENOTDIR ? LinuxErrors.Of(unlinkErrno, "unlinkat", path) : LinuxErrors.Of(errno, "openat", path));
        }

        byte[] buffer = new byte[16 * 1024];
        fixed (byte* entries = buffer)
        {
            while (true)
            {
                nint length = FileSystemCalls.getdents64(opened, entries, (nuint)buffer.Length);
                if (length < 0)
                {
                    throw LinuxErrors.Last("getdents64", path);
                }

                if (length == 0)
                {
                    return;
                }

                // struct linux_dirent64: inode 8, offset 8, record length 2, type 1, name.
                for (nint at = 0; at < length; at += *(ushort*)(entries + at + 16))
                {
                    byte* entry = entries + at + EntryHeader;
                    if (!IsSelfOrParent(entry))
                    {
                        RemoveEntry((int)opened.DangerousGetHandle(), entry, path, depth + 1, cancellationToken);
                    }
                }
            }
        }
    }

    private static unsafe bool IsSelfOrParent(byte* name) =>
        name[0] == '.' && (name[1] == 0 || (name[1] == '.' && name[2] == 0));
}
