// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;
using Containerd.Actors.Linux.Interop;
using Microsoft.Win32.SafeHandles;

namespace Containerd.Actors.Linux.Processes;

/// <summary>Ends of FIFOs and pipes for processes that expect to block on them; fifo(7), pipe(7).</summary>
public static unsafe partial class Fifos
{
    private const int ReadOnly = 0;
    private const int WriteOnly = 1;
    private const int ReadWrite = 2;
    private const int NonBlocking = 0x800;
    private const int CloseOnExec = 0x80000;
    private const int AppendOnly = 0x400;
    private const string C = "libc.so.6";

    /// <summary>Both ends of a FIFO, blocking; opening waits for nobody.</summary>
    /// <exception cref="Core.Linux.LinuxException">open(2) failed.</exception>
    public static (SafeFileHandle Reader, SafeFileHandle Writer) OpenBoth(string path)
    {
        // With both directions open at once neither of the further opens has to wait for the other side.
        using SafeFileHandle door = Open(path, ReadWrite | NonBlocking);
        SafeFileHandle reader = Open(path, ReadOnly);
        try
        {
            return (reader, Open(path, WriteOnly));
        }
        catch
        {
            reader.Dispose();
            throw;
        }
    }

    /// <summary>A file that is not a FIFO, for appending.</summary>
    /// <exception cref="Core.Linux.LinuxException">open(2) failed.</exception>
    public static SafeFileHandle OpenForAppending(string path) => Open(path, WriteOnly | AppendOnly);

    /// <summary>Whether the path is a FIFO: the one kind of file that is named by a path, can be written, and has no position (lseek(2), ESPIPE).</summary>
    /// <exception cref="Core.Linux.LinuxException">open(2) failed.</exception>
    public static bool IsFifo(string path)
    {
        using SafeFileHandle file = Open(path, ReadWrite | NonBlocking);
        return lseek(file, 0, 1) < 0;
    }

    /// <summary>A pipe, blocking, closed in children unless given to them.</summary>
    /// <exception cref="Core.Linux.LinuxException">pipe2(2) failed.</exception>
    public static (SafeFileHandle Reader, SafeFileHandle Writer) Pipe()
    {
        int* ends = stackalloc int[2];
        return pipe2(ends, CloseOnExec) == 0
            ? (new SafeFileHandle(ends[0], ownsHandle: true), new SafeFileHandle(ends[1], ownsHandle: true))
            : throw LinuxErrors.Last("pipe2");
    }

    /// <summary>Gives a file to a user and group; fchown(2).</summary>
    /// <exception cref="Core.Linux.LinuxException">fchown(2) failed.</exception>
    public static void ChangeOwner(SafeFileHandle file, uint uid, uint gid)
    {
        if (fchown(file, uid, gid) != 0)
        {
            throw LinuxErrors.Last("fchown");
        }
    }

    /// <summary>Makes standard error of this process a FIFO that is never waited for.</summary>
    /// <exception cref="Core.Linux.LinuxException">open(2) or dup2(2) failed.</exception>
    public static void RedirectStandardError(string path)
    {
        using SafeFileHandle file = Open(path, ReadWrite | NonBlocking);
        if (dup2(file, 2) < 0)
        {
            throw LinuxErrors.Last("dup2", path);
        }
    }

    private static SafeFileHandle Open(string path, int flags)
    {
        SafeFileHandle handle = open(path, flags | CloseOnExec, 0);
        return handle.IsInvalid ? throw LinuxErrors.Last("open", path) : handle;
    }

    [LibraryImport(C, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle open(string path, int flags, int mode);

    [LibraryImport(C, SetLastError = true)]
    private static partial int pipe2(int* ends, int flags);

    [LibraryImport(C, SetLastError = true)]
    private static partial int fchown(SafeFileHandle file, uint uid, uint gid);

    [LibraryImport(C, SetLastError = true)]
    private static partial int dup2(SafeFileHandle file, int target);

    [LibraryImport(C, SetLastError = true)]
    private static partial long lseek(SafeFileHandle file, long offset, int whence);
}
