// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using Containerd.Actors.Benchmarks.Measures;
using Containerd.Actors.Benchmarks.Sides;

namespace Containerd.Actors.Benchmarks.Rows;

/// <summary>The life of one container through a connection that is kept: what a daemon does, without the start of a client.</summary>
/// <param name="name">By which it is chosen.</param>
/// <param name="about">Stands behind the names of the quantities.</param>
/// <param name="crowd">Beside how many others.</param>
internal sealed class LifeRow(string name, string about, Crowd crowd) : PairedRow
{
    /// <summary>With nothing beside it.</summary>
    public static LifeRow Alone { get; } = new("start", "one connection", Crowd.None);

    /// <inheritdoc />
    public override string Name => name;

    /// <inheritdoc />
    public override Crowd Crowd => crowd;

    /// <inheritdoc />
    protected override IReadOnlyList<Quantity> Quantities { get; } =
        [new($"create and start, {about}", "ms"), new($"create, start, kill and delete, {about}", "ms")];

    /// <inheritdoc />
    protected override async Task<double[]> MeasureAsync(Bench bench, Side side, CancellationToken cancellation)
    {
        string id = $"life-{Guid.NewGuid():N}";
        long started = Stopwatch.GetTimestamp();
        await side.Containers.StartAsync(id, ["sleep", "1000"], cancellation);
        double running = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        await side.Containers.RemoveAsync(id, cancellation);
        return [running, Stopwatch.GetElapsedTime(started).TotalMilliseconds];
    }
}
