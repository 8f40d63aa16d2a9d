// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Containerd.Actors.Linux.Interop;

/// <summary><c>linux/loop.h</c>; loop(4). <c>LOOP_CONFIGURE</c> needs kernel 5.8.</summary>
internal static partial class LoopCalls
{
    internal const nuint LOOP_SET_STATUS64 = 0x4C04;
    internal const nuint LOOP_GET_STATUS64 = 0x4C05;
    internal const nuint LOOP_CONFIGURE = 0x4C0A;
    internal const nuint LOOP_CTL_GET_FREE = 0x4C82;

    internal const uint LO_FLAGS_READ_ONLY = 1;
    internal const uint LO_FLAGS_AUTOCLEAR = 4;
    internal const uint LO_FLAGS_DIRECT_IO = 16;

    [LibraryImport("libc", SetLastError = true)]
    internal static unsafe partial int ioctl(SafeFileHandle fd, nuint request, void* argument);

    /// <summary><c>struct loop_info64</c>.</summary>
    internal unsafe struct LoopInformation
    {
        public ulong Device;
        public ulong Inode;
        public ulong Rdevice;
        public ulong Offset;
        public ulong SizeLimit;
        public uint Number;
        public uint EncryptType;
        public uint EncryptKeySize;
        public uint Flags;
        public fixed byte FileName[64];
        public fixed byte CryptName[64];
        public fixed byte EncryptKey[32];
        public fixed ulong Init[2];
    }

    /// <summary><c>struct loop_config</c>.</summary>
    internal unsafe struct LoopConfiguration
    {
        public uint Fd;
        public uint BlockSize;
        public LoopInformation Information;
        public fixed ulong Reserved[8];
    }
}
