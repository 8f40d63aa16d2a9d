// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using Containerd.Actors.Benchmarks.Measures;
using Containerd.Actors.Benchmarks.Sides;
using Containerd.Actors.Client.Lifecycles;

namespace Containerd.Actors.Benchmarks.Rows;

/// <summary>A container that ends by itself, and what of its time is the daemon's: the rest, which the OCI runtime takes alone, is the same on both sides.</summary>
internal sealed class OwnShareRow : PairedRow
{
    /// <inheritdoc />
    public override string Name => "share";

    /// <inheritdoc />
    protected override IReadOnlyList<Quantity> Quantities { get; } =
    [
        new("create, start, wait and delete, one connection", "ms"),
        new("the same without the OCI runtime's own time", "ms", Goal.RatioAtMost(0.25)),
    ];

    /// <summary>Runs one container to its end and removes it.</summary>
    public static async Task OneAsync(Side side, string id, CancellationToken cancellation)
    {
        TaskProcess task = await side.Containers.CreateAsync(id, ["true"], cancellation);
        Task<ProcessExit> exit = task.WaitAsync(cancellation);
        await task.StartAsync(cancellation);
        await exit;
        await side.Containers.RemoveAsync(id, cancellation);
    }

    /// <inheritdoc />
    protected override async Task<double[]> MeasureAsync(Bench bench, Side side, CancellationToken cancellation)
    {
        long started = Stopwatch.GetTimestamp();
        await OneAsync(side, $"share-{Guid.NewGuid():N}", cancellation);
        double whole = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        TimeSpan bare = await bench.OciRuntime.RunAsync(cancellation);
        return [whole, Math.Max(whole - bare.TotalMilliseconds, 0)];
    }
}
