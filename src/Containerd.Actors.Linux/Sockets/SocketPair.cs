// SPDX-License-Identifier: Apache-2.0

using System.Net.Sockets;
using System.Runtime.InteropServices;
using Containerd.Actors.Core.Linux;
using Containerd.Actors.Linux.Interop;
using Microsoft.Win32.SafeHandles;

namespace Containerd.Actors.Linux.Sockets;

/// <summary>Two connected unix sockets without a name; socketpair(2).</summary>
public static unsafe partial class SocketPair
{
    private const int Unix = 1;
    private const int StreamCloseOnExec = 1 | 0x80000;

    /// <summary>Makes a pair: one end for this process, one to be given to a child. Each sees the end of the other.</summary>
    /// <exception cref="LinuxException">socketpair(2) failed.</exception>
    public static (Socket Own, SafeFileHandle Given) Create()
    {
        int* ends = stackalloc int[2];
        return socketpair(Unix, StreamCloseOnExec, 0, ends) == 0
            ? (new Socket(new SafeSocketHandle(ends[0], ownsHandle: true)), new SafeFileHandle(ends[1], ownsHandle: true))
            : throw LinuxErrors.Last("socketpair");
    }

    [LibraryImport("libc.so.6", SetLastError = true)]
    private static partial int socketpair(int domain, int type, int protocol, int* ends);
}
