// SPDX-License-Identifier: Apache-2.0

using System.Runtime;
using Containerd.Actors.Linux.Memory;

namespace Containerd.Actors.Daemon.Hosting;

/// <summary>Gives memory back to the system when the daemon has been busy and is quiet again.</summary>
/// <remarks>
/// The runtime collects when something is allocated, so what a start, a pull or a storm of containers left would stay for as long as nothing
/// happens, and the pages of code that only these use with it. A collection of a quiet heap takes some milliseconds.
/// </remarks>
internal sealed class IdleMemory
{
    /// <summary>Less than this allocated since the last look is quiet.</summary>
    public const long QuietBytes = 256 << 10;

    /// <summary>At least this much allocated since the last collection is worth another.</summary>
    public const long WorthBytes = 8 << 20;

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    private long _seen;
    private long _collected;

    /// <summary>Looks from time to time until cancelled.</summary>
    public static async Task WatchAsync(TimeProvider time, CancellationToken cancellationToken)
    {
        IdleMemory memory = new();
        using PeriodicTimer timer = new(Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                if (memory.IsDue(GC.GetTotalAllocatedBytes()))
                {
                    GCSettings.LargeObjectHeapCompactionMode = GCLargeObjectHeapCompactionMode.CompactOnce;
                    GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
                    ResidentMemory.GiveBack();
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The daemon ends.
        }
    }

    /// <summary>Whether to collect now, given all that was allocated since the start.</summary>
    internal bool IsDue(long allocated)
    {
        bool due = allocated - _seen < QuietBytes && allocated - _collected >= WorthBytes;
        _seen = allocated;
        _collected = due ? allocated : _collected;
        return due;
    }
}
