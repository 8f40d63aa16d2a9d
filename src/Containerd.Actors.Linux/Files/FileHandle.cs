// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Linux;
using Containerd.Actors.Linux.Interop;
using Microsoft.Win32.SafeHandles;
using Tmds.Linux;

namespace Containerd.Actors.Linux.Files;

/// <summary>An open file. Owned by one thread at a time; closed when disposed.</summary>
/// <remarks>Every failure is a <see cref="LinuxException"/> that names the call and the path with which the file was opened.</remarks>
public sealed unsafe class FileHandle : SafeHandleMinusOneIsInvalid
{
    private readonly string _path;

    internal FileHandle(int number, string path)
        : base(ownsHandle: true)
    {
        _path = path;
        SetHandle(number);
    }

    /// <summary>The descriptor's number, valid until disposed.</summary>
    public int Number => (int)handle;

    /// <summary>Writes all bytes at the file's position.</summary>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            int done = 0;
            while (done < bytes.Length)
            {
                long written = LibC.write(Number, start + done, (size_t)(bytes.Length - done));
                done += Progress(written, "write");
            }
        }
    }

    /// <summary>Writes all bytes at an offset and leaves the position alone.</summary>
    public void WriteAt(long offset, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            int done = 0;
            while (done < bytes.Length)
            {
                long written = LibC.pwrite(Number, start + done, (size_t)(bytes.Length - done), offset + done);
                done += Progress(written, "pwrite");
            }
        }
    }

    /// <summary>Reads at an offset; 0 means the end of the file.</summary>
    public int ReadAt(long offset, Span<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            while (true)
            {
                long read = LibC.pread(Number, start, (size_t)bytes.Length, offset);
                if (read >= 0)
                {
                    return (int)read;
                }

                Progress(read, "pread");
            }
        }
    }

    /// <summary>Makes the file this long; new parts are holes.</summary>
    public void Truncate(long length) => Check(LibC.ftruncate(Number, length), "ftruncate");

    /// <summary>Sets owner and group; clears setuid, setgid and capabilities, so modes and attributes come after it.</summary>
    public void ChangeOwner(uint user, uint group) => Check(LibC.fchown(Number, user, group), "fchown");

    /// <summary>Sets the permission bits (07777).</summary>
    public void ChangeMode(uint mode) => Check(LibC.fchmod(Number, (ushort)mode), "fchmod");

    /// <summary>Sets access and modification time.</summary>
    public void SetTimes(FileTime accessed, FileTime modified)
    {
        timespec* times = stackalloc timespec[2];
        times[0] = DirectoryHandle.Spec(accessed);
        times[1] = DirectoryHandle.Spec(modified);
        Check(LibC.futimens(Number, times), "futimens");
    }

    /// <summary>Sets an extended attribute.</summary>
    public void SetAttribute(string name, ReadOnlySpan<byte> value)
    {
        fixed (byte* key = DirectoryHandle.Terminated(name), start = value)
        {
            Check(FileCalls.fsetxattr(Number, key, start, (nuint)value.Length, 0), "fsetxattr");
        }
    }

    /// <summary>Returns when content and metadata are on the disk.</summary>
    public void Synchronize() => Check(LibC.fsync(Number), "fsync");

    /// <summary>Copies a range of this file into another at the same offset, within the kernel where it can.</summary>
    public void CopyRange(FileHandle target, long offset, long length)
    {
        long end = offset + length;
        while (offset < end)
        {
            long from = offset;
            long to = offset;
            nint copied = FileCalls.copy_file_range(Number, &from, target.Number, &to, (nuint)(end - offset), 0);
            if (copied < 0 && LibC.errno is not LinuxErrors.EINTR)
            {
                CopyThroughMemory(target, offset, end);
                return;
            }

            if (copied == 0)
            {
                return;
            }

            offset += Math.Max(copied, 0);
        }
    }

    /// <summary>The next range that holds data at or after an offset, as lseek(2) tells; false behind the last one.</summary>
    public bool NextData(long offset, long size, out long start, out long end)
    {
        const int seekData = 3;
        const int seekHole = 4;
        start = end = size;
        if (offset >= size)
        {
            return false;
        }

        long found = LibC.lseek(Number, offset, seekData);
        if (found < 0)
        {
            const int noSuchRange = 6;
            if (LibC.errno == noSuchRange)
            {
                return false;
            }

            start = offset;
            return true;
        }

        start = found;
        long hole = LibC.lseek(Number, start, seekHole);
        end = hole < 0 ? size : Math.Min(hole, size);
        return start < size;
    }

    /// <inheritdoc />
    protected override bool ReleaseHandle() => LibC.close((int)handle) == 0;

    // Not every pair of file systems knows copy_file_range; the rest of the range is copied by hand then.
    private void CopyThroughMemory(FileHandle target, long offset, long end)
    {
        byte[] buffer = System.Buffers.ArrayPool<byte>.Shared.Rent(1 << 18);
        try
        {
            while (offset < end)
            {
                int read = ReadAt(offset, buffer.AsSpan(0, (int)Math.Min(buffer.Length, end - offset)));
                if (read == 0)
                {
                    return;
                }

                target.WriteAt(offset, buffer.AsSpan(0, read));
                offset += read;
            }
        }
        finally
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private int Progress(long result, string call) =>
        result >= 0 ? (int)result
        : LibC.errno == LinuxErrors.EINTR ? 0
        : throw LinuxErrors.Last(call, _path);

    private void Check(int result, string call)
    {
        if (result != 0)
        {
            throw LinuxErrors.Last(call, _path);
        }
    }
}
