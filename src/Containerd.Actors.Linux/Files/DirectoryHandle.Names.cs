// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Linux.Interop;
using Tmds.Linux;

namespace Containerd.Actors.Linux.Files;

/// <content>Making, changing and removing names.</content>
public sealed unsafe partial class DirectoryHandle
{
    /// <summary>Creates a directory; false if the name is taken. The umask applies to the mode.</summary>
    public bool TryCreateDirectory(string name, uint mode)
    {
        fixed (byte* bytes = Terminated(name))
        {
            return Created(LibC.mkdirat(Number, bytes, (ushort)mode), "mkdirat", name);
        }
    }

    /// <summary>Creates a device, fifo or socket node; false if the name is taken. The umask applies to the mode.</summary>
    public bool TryCreateNode(string name, FileKind kind, uint mode, uint major, uint minor)
    {
        // makedev(3): glibc's encoding of the two numbers in 64 bits.
        ulong device = (minor & 0xFFUL) | ((major & 0xFFFUL) << 8) | ((minor & ~0xFFUL) << 12) | ((major & ~0xFFFUL) << 32);
        fixed (byte* bytes = Terminated(name))
        {
            return Created(LibC.mknodat(Number, bytes, (ushort)((uint)kind | mode), device), "mknodat", name);
        }
    }

    /// <summary>Creates a symbolic link; false if the name is taken.</summary>
    public bool TryCreateSymbolicLink(string name, string target)
    {
        fixed (byte* bytes = Terminated(name), text = Terminated(target))
        {
            return Created(LibC.symlinkat(text, Number, bytes), "symlinkat", name);
        }
    }

    /// <summary>Makes <paramref name="name"/> another name of an existing file; false if the name is taken. Links are not followed.</summary>
    public bool TryCreateHardLink(string name, DirectoryHandle existing, string existingName)
    {
        fixed (byte* bytes = Terminated(name), source = Terminated(existingName))
        {
            return Created(LibC.linkat(existing.Number, source, Number, bytes, 0), "linkat", name);
        }
    }

    /// <summary>Renames within a file system; an existing file of the new name is replaced in one step.</summary>
    public void Rename(string name, DirectoryHandle target, string newName)
    {
        fixed (byte* bytes = Terminated(name), text = Terminated(newName))
        {
            Check(FileCalls.renameat2(Number, bytes, target.Number, text, 0), "renameat2", name);
        }
    }

    /// <summary>Removes a name that is not a directory; false if there was none.</summary>
    public bool Unlink(string name) => Removed(name, 0, "unlinkat");

    /// <summary>Removes an empty directory; false if there was none.</summary>
    public bool RemoveDirectory(string name) => Removed(name, LibC.AT_REMOVEDIR, "rmdir");

    /// <summary>Sets owner and group of the name itself.</summary>
    public void ChangeOwner(string name, uint user, uint group)
    {
        fixed (byte* bytes = Terminated(name))
        {
            Check(LibC.fchownat(Number, bytes, user, group, LibC.AT_SYMLINK_NOFOLLOW), "fchownat", name);
        }
    }

    /// <summary>Sets the permission bits (07777). Linux follows links here, so the caller knows that the name is none.</summary>
    public void ChangeMode(string name, uint mode)
    {
        fixed (byte* bytes = Terminated(name))
        {
            Check(LibC.fchmodat(Number, bytes, (ushort)mode, 0), "fchmodat", name);
        }
    }

    /// <summary>Sets access and modification time of the name itself.</summary>
    public void SetTimes(string name, FileTime accessed, FileTime modified)
    {
        timespec* times = stackalloc timespec[2];
        times[0] = Spec(accessed);
        times[1] = Spec(modified);
        fixed (byte* bytes = Terminated(name))
        {
            Check(LibC.utimensat(Number, bytes, times, LibC.AT_SYMLINK_NOFOLLOW), "utimensat", name);
        }
    }

    /// <summary>Sets an extended attribute of the name itself; <c>.</c> is this directory.</summary>
    public void SetAttribute(string name, string attribute, ReadOnlySpan<byte> value)
    {
        fixed (byte* path = AttributePath(name), key = Terminated(attribute), start = value)
        {
            Check(FileCalls.lsetxattr(path, key, start, (nuint)value.Length, 0), "lsetxattr", name);
        }
    }

    /// <summary>An extended attribute of the name itself; null if it has none of this name.</summary>
    public byte[]? TryAttribute(string name, string attribute)
    {
        // The kernel's upper limit of a value (xattr(7), XATTR_SIZE_MAX).
        const int limit = 65536;
        byte[] value = System.Buffers.ArrayPool<byte>.Shared.Rent(limit);
        try
        {
            fixed (byte* path = AttributePath(name), key = Terminated(attribute), start = value)
            {
                nint length = FileCalls.lgetxattr(path, key, start, limit);
                return length >= 0 ? value.AsSpan(0, (int)length).ToArray()
                    : LibC.errno is LinuxErrors.ENODATA or LinuxErrors.EOPNOTSUPP ? null
                    : throw LinuxErrors.Last("lgetxattr", Join(name));
            }
        }
        finally
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(value);
        }
    }

    /// <summary>The names of the extended attributes in byte order; none where the file system has none.</summary>
    public IReadOnlyList<string> ListAttributes(string name)
    {
        const int limit = 65536;
        byte[] names = System.Buffers.ArrayPool<byte>.Shared.Rent(limit);
        try
        {
            fixed (byte* path = AttributePath(name), start = names)
            {
                nint length = FileCalls.llistxattr(path, start, limit);
                if (length <= 0)
                {
                    return length == 0 || LibC.errno == LinuxErrors.EOPNOTSUPP ? [] : throw LinuxErrors.Last("llistxattr", Join(name));
                }

                string[] found = FileNames.Decode(names.AsSpan(0, (int)length - 1)).Split('\0');
                Array.Sort(found, StringComparer.Ordinal);
                return found;
            }
        }
        finally
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(names);
        }
    }

    /// <summary>Removes a name and everything below it without following links; nothing happens if there is none.</summary>
    /// <remarks>Works with a stack of its own, so that a deep tree cannot overflow the thread's.</remarks>
    public void RemoveTree(string name)
    {
        if (TryStatus(name) is not { } status)
        {
            return;
        }

        if (status.Kind != FileKind.Directory)
        {
            Unlink(name);
            return;
        }

        Stack<(DirectoryHandle Parent, string Name, DirectoryHandle Self, Queue<string> Children)> open = new();
        try
        {
            Enter(open, this, name);
            while (open.TryPeek(out var current))
            {
                if (!current.Children.TryDequeue(out string? child))
                {
                    open.Pop().Self.Dispose();
                    current.Parent.RemoveDirectory(current.Name);
                }
                else if (current.Self.TryStatus(child) is { Kind: FileKind.Directory })
                {
                    Enter(open, current.Self, child);
                }
                else
                {
                    current.Self.Unlink(child);
                }
            }
        }
        finally
        {
            while (open.TryPop(out var left))
            {
                left.Self.Dispose();
            }
        }
    }

    private static void Enter(
        Stack<(DirectoryHandle Parent, string Name, DirectoryHandle Self, Queue<string> Children)> open,
        DirectoryHandle parent,
        string name)
    {
        DirectoryHandle self = parent.OpenChild(name);
        open.Push((parent, name, self, []));
        foreach (string child in self.List())
        {
            open.Peek().Children.Enqueue(child);
        }
    }

    // There is no getxattrat before Linux 6.13; the magic link leads to the directory and the name behind it is not followed.
    private byte[] AttributePath(string name) => Terminated($"/proc/self/fd/{Number}/{name}");

    private bool Created(int result, string call, string name) =>
        result == 0 || (LibC.errno == LinuxErrors.EEXIST ? false : throw LinuxErrors.Last(call, Join(name)));

    private bool Removed(string name, int flags, string call)
    {
        fixed (byte* bytes = Terminated(name))
        {
            return LibC.unlinkat(Number, bytes, flags) == 0
                || (LibC.errno == LinuxErrors.ENOENT ? false : throw LinuxErrors.Last(call, Join(name)));
        }
    }
}
