// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using Containerd.Actors.Benchmarks.Measures;
using Containerd.Actors.Benchmarks.Sides;

namespace Containerd.Actors.Benchmarks.Rows;

/// <summary>Many containers that are made and started at once through one connection, until the last runs.</summary>
internal sealed class StartStormRow(int count) : PairedRow
{
    /// <inheritdoc />
    public override string Name => "start storm";

    /// <inheritdoc />
    protected override IReadOnlyList<Quantity> Quantities { get; } = [new($"{count} create and start at once, one connection", "ms", Goal.RatioAtMost(0.4))];

    /// <inheritdoc />
    protected override int Rounds(Sizes sizes) => sizes.HeavyRounds;

    /// <inheritdoc />
    protected override async Task<double[]> MeasureAsync(Bench bench, Side side, CancellationToken cancellation)
    {
        string[] ids = [.. Enumerable.Range(0, count).Select(_ => $"storm-{Guid.NewGuid():N}")];
        long started = Stopwatch.GetTimestamp();
        await Task.WhenAll(ids.Select(id => side.Containers.StartAsync(id, ["sleep", "1000"], cancellation)));
        double running = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        await Task.WhenAll(ids.Select(id => side.Containers.RemoveAsync(id, cancellation)));
        return [running];
    }
}
