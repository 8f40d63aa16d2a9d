// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Globalization;

namespace Containerd.Actors.Benchmarks.Sides;

/// <summary>Memory of a process in KiB, as the kernel counts it; proc(5), <c>smaps_rollup</c>.</summary>
/// <param name="Resident">Pages in memory.</param>
/// <param name="Proportional">The same with each page divided by the number of those that share it.</param>
/// <param name="Private">Pages that nobody shares: what its end would free.</param>
internal sealed record ProcessMemory(double Resident, double Proportional, double Private)
{
    private const double Steady = 0.01;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(45);

    /// <summary>Looks at a process that runs.</summary>
    public static ProcessMemory Of(int pid)
    {
        Dictionary<string, double> fields = File.ReadLines($"/proc/{pid}/smaps_rollup").Skip(1)
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .ToDictionary(parts => parts[0], parts => double.Parse(parts[1], CultureInfo.InvariantCulture));
        return new ProcessMemory(fields["Rss:"], fields["Pss:"], fields["Private_Clean:"] + fields["Private_Dirty:"]);
    }

    /// <summary>Looks until what is resident has stayed the same, but for one percent, for so long; or until patience ends.</summary>
    public static async Task<ProcessMemory> OfQuietAsync(int pid, TimeSpan quiet, CancellationToken cancellation)
    {
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(250));
        ProcessMemory last = Of(pid);
        long started = Stopwatch.GetTimestamp();
        long since = started;
        while (Stopwatch.GetElapsedTime(since) < quiet && Stopwatch.GetElapsedTime(started) < Patience)
        {
            await timer.WaitForNextTickAsync(cancellation);
            ProcessMemory now = Of(pid);
            if (Math.Abs(now.Resident - last.Resident) > Steady * last.Resident)
            {
                (last, since) = (now, Stopwatch.GetTimestamp());
            }
        }

        return Of(pid);
    }
}
