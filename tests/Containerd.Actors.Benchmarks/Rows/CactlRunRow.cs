// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using Containerd.Actors.Benchmarks.Measures;
using Containerd.Actors.Benchmarks.Sides;

namespace Containerd.Actors.Benchmarks.Rows;

/// <summary>The same as <see cref="RunRow"/> with the client that each daemon brings: <c>cactl run --rm</c> against <c>ctr run --rm</c>.</summary>
internal sealed class CactlRunRow : PairedRow
{
    /// <inheritdoc />
    public override string Name => "cactl run";

    /// <inheritdoc />
    protected override IReadOnlyList<Quantity> Quantities { get; } = [new("`cactl run --rm` against `ctr run --rm`", "ms", Goal.RatioAtMost(0.3))];

    /// <inheritdoc />
    protected override async Task<double[]> MeasureAsync(Bench bench, Side side, CancellationToken cancellation)
    {
        long started = Stopwatch.GetTimestamp();
        await (side.IsOurs
            ? side.CactlAsync(cancellation, "run", "--rm", "--runc-binary", side.OciRuntime, "--name", $"run-{Guid.NewGuid():N}", side.Busybox, "true")
            : RunRow.OneAsync(side, cancellation));
        return [Stopwatch.GetElapsedTime(started).TotalMilliseconds];
    }
}
