// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Benchmarks.Measures;
using Containerd.Actors.Benchmarks.Sides;

namespace Containerd.Actors.Benchmarks.Rows;

/// <summary>Memory of daemons that were started anew and then started so many idle containers, when they are quiet.</summary>
internal sealed class DaemonMemoryRow(Sizes sizes, int containers) : Row
{
    /// <inheritdoc />
    public override string Name => "daemon memory";

    /// <inheritdoc />
    public override async Task<IReadOnlyList<Figure>> MeasureAsync(Bench bench, CancellationToken cancellation)
    {
        Dictionary<Side, ProcessMemory> measured = [];
        foreach (Side side in bench.Sides)
        {
            await side.StopAsync();
            await side.StartAgainAsync();
            await side.Population.BringToAsync(containers, 0, cancellation);
            measured[side] = await ProcessMemory.OfQuietAsync(side.Pid, TimeSpan.FromSeconds(sizes.QuietSeconds), cancellation);
        }

        ProcessMemory? reference = bench.Reference is null ? null : measured[bench.Reference];
        ProcessMemory ours = measured[bench.Ours];
        return
        [
            Figure.Once(new Quantity($"RSS of the daemon, {containers} containers", "kB", Goal.RatioAtMost(1.2)), reference?.Resident, ours.Resident),
            Figure.Once(new Quantity($"private memory of the daemon, {containers} containers", "kB"), reference?.Private, ours.Private),
        ];
    }
}
