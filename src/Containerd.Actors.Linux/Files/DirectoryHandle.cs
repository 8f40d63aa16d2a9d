// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Linux;
using Containerd.Actors.Linux.Interop;
using Microsoft.Win32.SafeHandles;
using Tmds.Linux;

namespace Containerd.Actors.Linux.Files;

/// <summary>An open directory, and what can be done to the names in it.</summary>
/// <remarks>
/// A <i>name</i> is one component without a slash and never followed when it is a symbolic link; a <i>path</i> is resolved with this
/// directory as root, so that neither <c>..</c> nor an absolute link leads out of it (openat2(2), <c>RESOLVE_IN_ROOT</c>).
/// Failures are <see cref="LinuxException"/>s that name the call and the path. Every descriptor is close-on-exec.
/// </remarks>
public sealed unsafe partial class DirectoryHandle : SafeHandleMinusOneIsInvalid
{
    private const int CurrentDirectory = -100;

    private DirectoryHandle(int number, string path)
        : base(ownsHandle: true)
    {
        Path = path;
        SetHandle(number);
    }

    /// <summary>The descriptor's number, valid until disposed.</summary>
    public int Number => (int)handle;

    /// <summary>The path under which it was opened, for texts only.</summary>
    public string Path { get; }

    /// <summary>Opens a directory by its path in the file system, links followed.</summary>
    public static DirectoryHandle Open(string path)
    {
        fixed (byte* bytes = Terminated(path))
        {
            int number = LibC.openat(CurrentDirectory, bytes, LibC.O_PATH | LibC.O_DIRECTORY | LibC.O_CLOEXEC, 0);
            return number >= 0 ? new DirectoryHandle(number, path) : throw LinuxErrors.Last("open", path);
        }
    }

    /// <summary>Opens a directory beneath this one; null when the path does not exist or is not a directory.</summary>
    public DirectoryHandle? TryOpenDirectory(string path)
    {
        int number = OpenInRoot(path, LibC.O_PATH | LibC.O_DIRECTORY);
        return number >= 0 ? new DirectoryHandle(number, Join(path))
            : LibC.errno is LinuxErrors.ENOENT or LinuxErrors.ENOTDIR ? null
            : throw LinuxErrors.Last("openat2", Join(path));
    }

    /// <summary>Opens a directory beneath this one.</summary>
    public DirectoryHandle OpenDirectory(string path)
    {
        int number = OpenInRoot(path, LibC.O_PATH | LibC.O_DIRECTORY);
        return number >= 0 ? new DirectoryHandle(number, Join(path)) : throw LinuxErrors.Last("openat2", Join(path));
    }

    /// <summary>Opens a directory by its name; a link to a directory is refused with ENOTDIR.</summary>
    public DirectoryHandle OpenChild(string name)
    {
        fixed (byte* bytes = Terminated(name))
        {
            int number = LibC.openat(
                Number, bytes, LibC.O_PATH | LibC.O_DIRECTORY | LibC.O_NOFOLLOW | LibC.O_CLOEXEC, 0);
            return number >= 0 ? new DirectoryHandle(number, Join(name)) : throw LinuxErrors.Last("openat", Join(name));
        }
    }

    /// <summary>Creates a regular file that did not exist; false if the name is taken. The umask applies to the mode.</summary>
    public bool TryCreateFile(string name, uint mode, out FileHandle file)
    {
        fixed (byte* bytes = Terminated(name))
        {
            int number = LibC.openat(
                Number,
                bytes,
                LibC.O_WRONLY | LibC.O_CREAT | LibC.O_EXCL | LibC.O_NOFOLLOW | LibC.O_CLOEXEC,
                (ushort)mode);
            if (number >= 0)
            {
                file = new FileHandle(number, Join(name));
                return true;
            }

            file = null!;
            return LibC.errno == LinuxErrors.EEXIST ? false : throw LinuxErrors.Last("openat", Join(name));
        }
    }

    /// <summary>Opens a regular file of this directory for reading; a link is refused with ELOOP.</summary>
    public FileHandle OpenFile(string name)
    {
        fixed (byte* bytes = Terminated(name))
        {
            int number = LibC.openat(Number, bytes, LibC.O_RDONLY | LibC.O_NOFOLLOW | LibC.O_NONBLOCK | LibC.O_CLOEXEC, 0);
            return number >= 0 ? new FileHandle(number, Join(name)) : throw LinuxErrors.Last("openat", Join(name));
        }
    }

    /// <summary>What the name is; null if there is none.</summary>
    public FileStatus? TryStatus(string name)
    {
        statx status;
        fixed (byte* bytes = Terminated(name))
        {
            if (LibC.statx(Number, bytes, LibC.AT_SYMLINK_NOFOLLOW, LibC.STATX_BASIC_STATS, &status) == 0)
            {
                return Status(in status);
            }
        }

        return LibC.errno is LinuxErrors.ENOENT or LinuxErrors.ENOTDIR ? null : throw LinuxErrors.Last("statx", Join(name));
    }

    /// <summary>What the name is.</summary>
    public FileStatus Status(string name) => TryStatus(name) ?? throw LinuxErrors.Failure(LinuxErrors.ENOENT, "statx", Join(name));

    /// <summary>What this directory itself is.</summary>
    public FileStatus Status()
    {
        statx status;
        fixed (byte* bytes = "\0"u8)
        {
            Check(LibC.statx(Number, bytes, LibC.AT_EMPTY_PATH, LibC.STATX_BASIC_STATS, &status), "statx", "");
        }

        return Status(in status);
    }

    /// <summary>The text of a symbolic link.</summary>
    public string ReadLink(string name)
    {
        byte[] text = new byte[4097];
        fixed (byte* bytes = Terminated(name), start = text)
        {
            long length = LibC.readlinkat(Number, bytes, start, (size_t)text.Length);
            return length >= 0 ? FileNames.Decode(text.AsSpan(0, (int)length)) : throw LinuxErrors.Last("readlinkat", Join(name));
        }
    }

    /// <summary>The names in this directory in byte order, without <c>.</c> and <c>..</c>.</summary>
    public IReadOnlyList<string> List()
    {
        List<byte[]> names = [];
        byte[] buffer = new byte[1 << 15];
        using FileHandle listing = OpenSelf();
        fixed (byte* start = buffer)
        {
            while (true)
            {
                nint length = FileCalls.getdents64(listing.Number, start, (nuint)buffer.Length);
                if (length < 0)
                {
                    throw LinuxErrors.Last("getdents64", Path);
                }

                if (length == 0)
                {
                    break;
                }

                Collect(buffer.AsSpan(0, (int)length), names);
            }
        }

        names.Sort(static (left, right) => left.AsSpan().SequenceCompareTo(right));
        return names.ConvertAll(static name => FileNames.Decode(name));
    }

    /// <summary>Returns when the names of this directory are on the disk.</summary>
    public void Synchronize()
    {
        using FileHandle self = OpenSelf();
        self.Synchronize();
    }

    /// <summary>Returns when the whole file system under this directory is on the disk.</summary>
    public void SynchronizeFileSystem()
    {
        using FileHandle self = OpenSelf();
        Check(LibC.syncfs(self.Number), "syncfs", "");
    }

    /// <inheritdoc />
    protected override bool ReleaseHandle() => LibC.close((int)handle) == 0;

    internal static byte[] Terminated(string text)
    {
        if (text.Contains('\0', StringComparison.Ordinal))
        {
            throw new LinuxException(new LinuxError("open", 22, "EINVAL", "a name contains a NUL byte", text));
        }

        byte[] bytes = new byte[FileNames.Length(text) + 1];
        FileNames.Write(text, bytes);
        return bytes;
    }

    internal static timespec Spec(FileTime time) => new() { tv_sec = time.Seconds, tv_nsec = (int)time.Nanoseconds };

    private static FileStatus Status(in statx status) => new(
        (FileKind)(status.stx_mode & 0xF000),
        status.stx_mode & 0xFFFu,
        status.stx_uid,
        status.stx_gid,
        (long)status.stx_size,
        (long)status.stx_blocks,
        status.stx_ino,
        ((ulong)status.stx_dev_major << 32) | status.stx_dev_minor,
        status.stx_nlink,
        status.stx_rdev_major,
        status.stx_rdev_minor,
        new FileTime(status.stx_atime.tv_sec, status.stx_atime.tv_nsec),
        new FileTime(status.stx_mtime.tv_sec, status.stx_mtime.tv_nsec));

    // struct linux_dirent64 of getdents64(2): inode 8, offset 8, record length 2, type 1, name.
    private static void Collect(ReadOnlySpan<byte> entries, List<byte[]> names)
    {
        while (entries.Length > 0)
        {
            int length = BitConverter.ToUInt16(entries[16..]);
            ReadOnlySpan<byte> name = entries[19..length];
            name = name[..name.IndexOf((byte)0)];
            if (!name.SequenceEqual("."u8) && !name.SequenceEqual(".."u8))
            {
                names.Add(name.ToArray());
            }

            entries = entries[length..];
        }
    }

    private FileHandle OpenSelf()
    {
        fixed (byte* bytes = ".\0"u8)
        {
            int number = LibC.openat(Number, bytes, LibC.O_RDONLY | LibC.O_DIRECTORY | LibC.O_CLOEXEC, 0);
            return number >= 0 ? new FileHandle(number, Path) : throw LinuxErrors.Last("openat", Path);
        }
    }

    private int OpenInRoot(string path, int flags)
    {
        open_how how = new()
        {
            flags = (ulong)(uint)(flags | LibC.O_CLOEXEC),
            resolve = FileCalls.ResolveInRoot | FileCalls.ResolveNoMagicLinks,
        };
        fixed (byte* bytes = Terminated(path.Length == 0 ? "." : path))
        {
            return (int)LibC.syscall(FileCalls.OpenAt2, Number, (void*)bytes, (void*)&how, (uint)sizeof(open_how));
        }
    }

    private string Join(string name) => name.Length == 0 ? Path : Path.EndsWith('/') ? Path + name : $"{Path}/{name}";

    private void Check(int result, string call, string name)
    {
        if (result != 0)
        {
            throw LinuxErrors.Last(call, Join(name));
        }
    }
}
