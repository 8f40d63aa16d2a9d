// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using Containerd.Actors.Benchmarks.Measures;
using Containerd.Actors.Benchmarks.Sides;

namespace Containerd.Actors.Benchmarks.Rows;

/// <summary><c>ctr run --rm</c> of one container that ends at once.</summary>
internal sealed class RunRow : PairedRow
{
    /// <inheritdoc />
    public override string Name => "run";

    /// <inheritdoc />
    protected override IReadOnlyList<Quantity> Quantities { get; } = [new("`ctr run --rm`", "ms", Goal.RatioAtMost(0.5))];

    /// <summary>Runs one container to its end.</summary>
    public static Task OneAsync(Side side, CancellationToken cancellation) => side.CtrAsync(
        cancellation, "run", "--rm", "--runc-binary", side.OciRuntime, side.Busybox, $"run-{Guid.NewGuid():N}", "true");

    /// <inheritdoc />
    protected override async Task<double[]> MeasureAsync(Bench bench, Side side, CancellationToken cancellation)
    {
        long started = Stopwatch.GetTimestamp();
        await OneAsync(side, cancellation);
        return [Stopwatch.GetElapsedTime(started).TotalMilliseconds];
    }
}
