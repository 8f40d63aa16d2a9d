// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace Containerd.Actors.Linux.Interop;

/// <summary><c>sys/mman.h</c> and <c>malloc.h</c> as far as Tmds.LibC lacks them.</summary>
internal static partial class MemoryCalls
{
    internal const int MADV_DONTNEED = 4;

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int madvise(nint address, nuint length, int advice);

    [LibraryImport("libc")]
    internal static partial int malloc_trim(nuint pad);
}
