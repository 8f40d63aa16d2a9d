// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using Containerd.Actors.Benchmarks.Measures;
using Containerd.Actors.Benchmarks.Sides;

namespace Containerd.Actors.Benchmarks.Rows;

/// <summary>Memory of the shims of idle containers, for each.</summary>
internal sealed class ShimMemoryRow(Sizes sizes) : Row
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <inheritdoc />
    public override string Name => "shim memory";

    /// <inheritdoc />
    public override Crowd Crowd => Crowd.Of(size => size.ShimsIdle);

    /// <inheritdoc />
    public override async Task<IReadOnlyList<Figure>> MeasureAsync(Bench bench, CancellationToken cancellation)
    {
        Dictionary<Side, (double Proportional, double Private)> measured = [];
        foreach (Side side in bench.Sides)
        {
            IReadOnlyList<int> shims = await ShimsAsync(side, cancellation);
            List<ProcessMemory> memories = [];
            foreach (int shim in shims)
            {
                memories.Add(await ProcessMemory.OfQuietAsync(shim, TimeSpan.Zero, cancellation));
            }

            measured[side] = (memories.Average(memory => memory.Proportional), memories.Average(memory => memory.Private));
        }

        string about = $"{sizes.ShimsIdle} idle containers";
        return
        [
            Figure.Once(new Quantity($"PSS of a shim, {about}", "kB", Goal.RatioAtMost(0.35)), Of(bench.Reference)?.Proportional, measured[bench.Ours].Proportional),
            Figure.Once(new Quantity($"private memory of a shim, {about}", "kB"), Of(bench.Reference)?.Private, measured[bench.Ours].Private),
        ];

        (double Proportional, double Private)? Of(Side? side) => side is null ? null : measured[side];
    }

    // A shim whose container was deleted ends after the answer to that.
    private async Task<IReadOnlyList<int>> ShimsAsync(Side side, CancellationToken cancellation)
    {
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(50));
        long started = Stopwatch.GetTimestamp();
        while (true)
        {
            IReadOnlyList<int> shims = side.Shims();
            if (shims.Count == sizes.ShimsIdle)
            {
                return shims;
            }

            if (Stopwatch.GetElapsedTime(started) > Patience)
            {
                throw new InvalidOperationException($"{side.Name}: {shims.Count} shims for {sizes.ShimsIdle} containers");
            }

            await timer.WaitForNextTickAsync(cancellation);
        }
    }
}
