// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Containerd.Actors.Linux.Interop;

/// <summary><c>sys/pidfd.h</c>, <c>poll.h</c> and <c>sys/socket.h</c> as far as Tmds.LibC lacks them.</summary>
internal static partial class ProcessCalls
{
    internal const int SOL_SOCKET = 1;
    internal const int SO_PEERCRED = 17;
    internal const short POLLIN = 1;

    // linux/pidfd.h: _IOWR(0xFF, 11, struct pidfd_info) with the first published size of 64 bytes grown to 80 by coredump_mask.
    internal const nuint PIDFD_GET_INFO = 0xC050FF0B;
    internal const ulong PIDFD_INFO_EXIT = 8;

    [LibraryImport("libc", SetLastError = true)]
    internal static partial SafeFileHandle pidfd_open(int pid, uint flags);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int pidfd_send_signal(int pidfd, int signal, nint information, uint flags);

    [LibraryImport("libc", SetLastError = true)]
    internal static unsafe partial int ioctl(SafeFileHandle fd, nuint request, void* argument);

    [LibraryImport("libc", SetLastError = true)]
    internal static unsafe partial int poll(PollFd* descriptors, nuint count, int timeout);

    [LibraryImport("libc", SetLastError = true)]
    internal static unsafe partial int getsockopt(int socket, int level, int option, void* value, uint* length);

    /// <summary><c>struct ucred</c>.</summary>
    internal struct Credentials
    {
        public int Pid;
        public uint Uid;
        public uint Gid;
    }

    /// <summary><c>struct pollfd</c>.</summary>
    internal struct PollFd
    {
        public int Fd;
        public short Events;
        public short Returned;
    }

    /// <summary><c>struct pidfd_info</c>.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 80)]
    internal struct PidFdStatus
    {
        [FieldOffset(0)]
        public ulong Mask;

        [FieldOffset(60)]
        public int ExitCode;
    }
}
