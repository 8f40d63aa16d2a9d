// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Content;
using Containerd.Actors.Linux.Memory;

namespace Containerd.Actors.Daemon.Hosting;

/// <summary>Gives memory back to the system when the daemon has been busy and is quiet again, and now and then while it is busy.</summary>
/// <remarks>
/// The runtime collects when something is allocated, so what a start, a pull or a storm of containers left would stay for as long as nothing
/// happens, and the pages of code that only these use with it. What lives as long as a container outlives the collections of a busy heap, so
/// a long row of containers would make it grow.
/// </remarks>
internal sealed class SpareMemory
{
    /// <summary>Less than this allocated since the last look is quiet.</summary>
    public const long QuietBytes = 256 << 10;

    /// <summary>At least this much allocated since the last collection is worth another when it is quiet.</summary>
    public const long WorthBytes = 8 << 20;

    /// <summary>At least this much allocated since the last collection is worth another though it is not quiet.</summary>
    public const long BusyBytes = 256 << 20;

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    private long _seen;
    private long _collected;

    /// <summary>Looks from time to time until cancelled.</summary>
    public static async Task WatchAsync(TimeProvider time, CancellationToken cancellationToken)
    {
        SpareMemory memory = new();
        using PeriodicTimer timer = new(Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                if (memory.IsDue(GC.GetTotalAllocatedBytes()))
                {
                    ConnectionMemory.Common.LetGo();
                    ContentBuffers.LetGo();
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
        long since = allocated - _collected;
        bool due = since >= BusyBytes || (since >= WorthBytes && allocated - _seen < QuietBytes);
        _seen = allocated;
        _collected = due ? allocated : _collected;
        return due;
    }
}
