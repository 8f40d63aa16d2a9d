// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using Containerd.Actors.Benchmarks.Measures;
using Containerd.Actors.Benchmarks.Sides;

namespace Containerd.Actors.Benchmarks.Rows;

/// <summary>How often the records of many containers can be listed in a second.</summary>
internal sealed class ListRow(Sizes sizes) : PairedRow
{
    /// <inheritdoc />
    public override string Name => "list";

    /// <inheritdoc />
    public override Crowd Crowd => new(_ => 0, size => size.Records);

    /// <inheritdoc />
    protected override IReadOnlyList<Quantity> Quantities { get; } = [new($"container list of {sizes.Records:N0}", "1/s", Goal.RatioAtLeast(1))];

    /// <inheritdoc />
    protected override async Task<double[]> MeasureAsync(Bench bench, Side side, CancellationToken cancellation)
    {
        const int Lists = 10;
        long started = Stopwatch.GetTimestamp();
        for (int i = 0; i < Lists; i++)
        {
            int found = (await side.Containers.ListAsync(cancellation)).Count;
            if (found != sizes.Records)
            {
                throw new InvalidOperationException($"{side.Name}: {found} containers were listed instead of {sizes.Records}");
            }
        }

        return [Lists / Stopwatch.GetElapsedTime(started).TotalSeconds];
    }
}
