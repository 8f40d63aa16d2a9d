// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Containerd.Actors.Client.Stdio;

/// <summary>What named pipes need of the C library and .NET does not offer.</summary>
internal static partial class Native
{
    internal const int ReadOnly = 0;
    internal const int WriteOnly = 1;
    internal const int ReadWrite = 2;
    internal const int NonBlocking = 0x800;
    internal const int CloseOnExec = 0x80000;
    private const int SetFlags = 4;

    /// <summary>Makes a named pipe; mkfifo(3).</summary>
    internal static void MakeFifo(string path, uint mode)
    {
        if (MkFifo(path, mode) != 0)
        {
            throw Failure("mkfifo", path);
        }
    }

    /// <summary>Opens a named pipe without waiting for its other end; open(2).</summary>
    internal static SafeFileHandle OpenFifo(string path, int access)
    {
        int descriptor = Open(path, access | NonBlocking | CloseOnExec, 0);
        return descriptor < 0 ? throw Failure("open", path) : new SafeFileHandle(descriptor, ownsHandle: true);
    }

    /// <summary>Lets reads and writes wait from now on; fcntl(2).</summary>
    internal static void MakeBlocking(SafeFileHandle handle, int access, string path)
    {
        if (SetStatusFlags(handle, SetFlags, access) != 0)
        {
            throw Failure("fcntl", path);
        }
    }

    private static IOException Failure(string call, string path) =>
        new($"{path}: {call}: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");

    [LibraryImport("libc", EntryPoint = "mkfifo", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MkFifo(string path, uint mode);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int SetStatusFlags(SafeFileHandle handle, int command, int flags);
}
