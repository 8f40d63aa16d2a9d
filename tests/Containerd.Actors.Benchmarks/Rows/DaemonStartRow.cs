// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Benchmarks.Measures;
using Containerd.Actors.Benchmarks.Sides;

namespace Containerd.Actors.Benchmarks.Rows;

/// <summary>The start of a daemon without containers, from its process to its first answer.</summary>
internal sealed class DaemonStartRow : PairedRow
{
    /// <inheritdoc />
    public override string Name => "daemon start";

    /// <inheritdoc />
    protected override IReadOnlyList<Quantity> Quantities { get; } = [new("start of the daemon to its first answer", "ms", Goal.RatioAtMost(1.5))];

    /// <inheritdoc />
    protected override async Task<double[]> MeasureAsync(Bench bench, Side side, CancellationToken cancellation)
    {
        await side.StopAsync();
        return [(await side.StartAgainAsync()).TotalMilliseconds];
    }
}
