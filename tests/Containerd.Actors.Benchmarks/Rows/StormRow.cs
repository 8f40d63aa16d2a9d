// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using Containerd.Actors.Benchmarks.Measures;
using Containerd.Actors.Benchmarks.Sides;

namespace Containerd.Actors.Benchmarks.Rows;

/// <summary>Many <c>ctr run --rm</c> at once, until the last has ended.</summary>
internal sealed class StormRow(int count) : PairedRow
{
    /// <inheritdoc />
    public override string Name => "storm";

    /// <inheritdoc />
    protected override IReadOnlyList<Quantity> Quantities { get; } = [new($"{count} `ctr run --rm` at once", "ms", Goal.RatioAtMost(0.4))];

    /// <inheritdoc />
    protected override int Rounds(Sizes sizes) => sizes.HeavyRounds;

    /// <inheritdoc />
    protected override async Task<double[]> MeasureAsync(Bench bench, Side side, CancellationToken cancellation)
    {
        long started = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, count).Select(_ => RunRow.OneAsync(side, cancellation)));
        return [Stopwatch.GetElapsedTime(started).TotalMilliseconds];
    }
}
