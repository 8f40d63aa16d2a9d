// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using System.Runtime;
using Containerd.Actors.Linux.Interop;

namespace Containerd.Actors.Linux.Memory;

/// <summary>What this process holds in memory though it does nothing.</summary>
public static class ResidentMemory
{
    /// <summary>
    /// Collects garbage, gives back what native code freed (malloc_trim(3)), and lets go of the pages of the program and its libraries
    /// (madvise(2), <c>MADV_DONTNEED</c>): starting and rare work touch most of them once. What is used again comes from the page cache.
    /// </summary>
    /// <remarks>What the kernel refuses stays: nothing depends on it. A collection of a quiet heap takes some milliseconds.</remarks>
    public static void GiveBack()
    {
        // Before the collection, as it leaves garbage.
        ImmutableArray<ProgramMapping> program = ProgramMapping.Read();
        GCSettings.LargeObjectHeapCompactionMode = GCLargeObjectHeapCompactionMode.CompactOnce;
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        _ = MemoryCalls.malloc_trim(0);
        foreach (ProgramMapping mapping in program)
        {
            _ = MemoryCalls.madvise((nint)mapping.Start, (nuint)mapping.Length, MemoryCalls.MADV_DONTNEED);
        }
    }
}
