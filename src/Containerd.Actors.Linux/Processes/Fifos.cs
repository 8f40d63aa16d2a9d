// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;
using Containerd.Actors.Core.Linux;
using Containerd.Actors.Linux.Interop;
using Microsoft.Win32.SafeHandles;

namespace Containerd.Actors.Linux.Processes;

/// <summary>Ends of FIFOs and pipes for processes that expect to block on them; fifo(7), pipe(7).</summary>
public static partial class Fifos
{
    private const int ReadOnly = 0;
    private const int WriteOnly = 1;
    private const int ReadWrite = 2;
    private const int NonBlocking = 0x800;
    private const int CloseOnExec = 0x80000;
    private const int AppendOnly = 0x400;
    private const int NobodyReads = 6; // ENXIO
    private const int SetFlags = 4;
    private const string C = "libc.so.6";
    private static readonly TimeSpan PauseMin = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan PauseMax = TimeSpan.FromMilliseconds(20);

    /// <summary>Both ends of a FIFO, blocking; opening waits for nobody.</summary>
    /// <exception cref="LinuxException">open(2) failed.</exception>
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
    /// <exception cref="LinuxException">open(2) failed.</exception>
    public static SafeFileHandle OpenForAppending(string path) => Open(path, WriteOnly | AppendOnly);

    /// <summary>Whether a file that can be written is a FIFO: the one kind named by a path that has no position (lseek(2), ESPIPE).</summary>
    public static bool IsFifo(SafeFileHandle file) => lseek(file, 0, 1) < 0;

    /// <summary>The writing end of a FIFO, blocking, once somebody reads or is about to; null when nobody does in time. Another file at once.</summary>
    /// <remarks>
    /// A FIFO forgets what was written when its last end is closed (fifo(7)). With the reader there first nothing is lost, however soon the
    /// writer ends.
    /// </remarks>
    /// <exception cref="LinuxException">open(2) or fcntl(2) failed.</exception>
    public static async Task<SafeFileHandle?> OpenWriterAsync(string path, TimeSpan patience)
    {
        long began = TimeProvider.System.GetTimestamp();
        for (TimeSpan pause = PauseMin; ; pause = pause * 2 < PauseMax ? pause * 2 : PauseMax)
        {
            SafeFileHandle writer = open(path, WriteOnly | NonBlocking | CloseOnExec, 0);
            if (!writer.IsInvalid)
            {
                return Blocking(writer);
            }

            if (Marshal.GetLastPInvokeError() != NobodyReads)
            {
                throw LinuxErrors.Last("open", path);
            }

            if (TimeProvider.System.GetElapsedTime(began) > patience)
            {
                return null;
            }

            await Task.Delay(pause).ConfigureAwait(false);
        }
    }

    /// <summary>The reading end of a FIFO; opening waits for nobody.</summary>
    /// <exception cref="LinuxException">open(2) failed.</exception>
    public static SafeFileHandle OpenReader(string path) => Open(path, ReadOnly | NonBlocking);

    /// <summary>A pipe, blocking, closed in children unless given to them.</summary>
    /// <exception cref="LinuxException">pipe2(2) failed.</exception>
    public static unsafe (SafeFileHandle Reader, SafeFileHandle Writer) Pipe()
    {
        int* ends = stackalloc int[2];
        return pipe2(ends, CloseOnExec) == 0
            ? (new SafeFileHandle(ends[0], ownsHandle: true), new SafeFileHandle(ends[1], ownsHandle: true))
            : throw LinuxErrors.Last("pipe2");
    }

    /// <summary>Gives a file to a user and group; fchown(2).</summary>
    /// <exception cref="LinuxException">fchown(2) failed.</exception>
    public static void ChangeOwner(SafeFileHandle file, uint uid, uint gid)
    {
        if (fchown(file, uid, gid) != 0)
        {
            throw LinuxErrors.Last("fchown");
        }
    }

    /// <summary>Makes standard error of this process a FIFO that is never waited for.</summary>
    /// <exception cref="LinuxException">open(2) or dup2(2) failed.</exception>
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

    private static SafeFileHandle Blocking(SafeFileHandle file)
    {
        if (fcntl(file, SetFlags, 0) == 0)
        {
            return file;
        }

        LinuxException failure = LinuxErrors.Last("fcntl");
        file.Dispose();
        throw failure;
    }

    [LibraryImport(C, SetLastError = true)]
    private static partial int fcntl(SafeFileHandle file, int command, int argument);

    [LibraryImport(C, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle open(string path, int flags, int mode);

    [LibraryImport(C, SetLastError = true)]
    private static unsafe partial int pipe2(int* ends, int flags);

    [LibraryImport(C, SetLastError = true)]
    private static partial int fchown(SafeFileHandle file, uint uid, uint gid);

    [LibraryImport(C, SetLastError = true)]
    private static partial int dup2(SafeFileHandle file, int target);

    [LibraryImport(C, SetLastError = true)]
    private static partial long lseek(SafeFileHandle file, long offset, int whence);
}
