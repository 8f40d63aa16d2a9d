// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using Containerd.Actors.Benchmarks.Measures;
using Containerd.Actors.Benchmarks.Sides;
using Containerd.Services.Containers.V1;

namespace Containerd.Actors.Benchmarks.Rows;

/// <summary>How many records of containers can be asked for in a second, by several callers through one connection.</summary>
internal sealed class GetRow(Sizes sizes) : PairedRow
{
    private const int Callers = 16;

    /// <inheritdoc />
    public override string Name => "get";

    /// <inheritdoc />
    public override Crowd Crowd => new(_ => 0, size => size.Records);

    /// <inheritdoc />
    protected override IReadOnlyList<Quantity> Quantities { get; } = [new($"container get, {Callers} callers", "1/s", Goal.RatioAtLeast(1))];

    /// <inheritdoc />
    protected override async Task<double[]> MeasureAsync(Bench bench, Side side, CancellationToken cancellation)
    {
        long started = Stopwatch.GetTimestamp();
        await Parallel.ForEachAsync(
            Enumerable.Range(0, sizes.Gets),
            new ParallelOptions { MaxDegreeOfParallelism = Callers, CancellationToken = cancellation },
            async (i, token) => await side.Connection.Containers.GetAsync(
                new GetContainerRequest { Id = Population.Record(i % sizes.Records) }, cancellationToken: token));
        return [sizes.Gets / Stopwatch.GetElapsedTime(started).TotalSeconds];
    }
}
