// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Benchmarks.Sides;

namespace Containerd.Actors.Benchmarks.Measures;

/// <summary>A row that does the same work on both sides in turn, many times.</summary>
/// <remarks>
/// Each round is a pair, and every other pair begins with the other side, so that neither is always the first. One round more, before the
/// others, does not count: it fills caches and makes what is made once.
/// </remarks>
internal abstract class PairedRow : Row
{
    /// <summary>What one measurement gives, in the order of its values.</summary>
    protected abstract IReadOnlyList<Quantity> Quantities { get; }

    /// <inheritdoc />
    public sealed override async Task<IReadOnlyList<Figure>> MeasureAsync(Bench bench, CancellationToken cancellation)
    {
        foreach (Side side in bench.Sides)
        {
            await MeasureAsync(bench, side, cancellation);
        }

        Dictionary<Side, List<double[]>> measured = bench.Sides.ToDictionary(side => side, _ => new List<double[]>());
        for (int round = 0; round < Rounds(bench.Sizes); round++)
        {
            foreach (Side side in round % 2 == 0 ? bench.Sides : bench.Sides.Reverse())
            {
                cancellation.ThrowIfCancellationRequested();
                measured[side].Add(await MeasureAsync(bench, side, cancellation));
            }
        }

        return [.. Quantities.Select((quantity, i) => Figure.OfPairs(quantity, Values(bench.Reference, i), Values(bench.Ours, i)))];

        double[] Values(Side? side, int i) => side is null ? [] : [.. measured[side].Select(values => values[i])];
    }

    /// <summary>How many pairs.</summary>
    protected virtual int Rounds(Sizes sizes) => sizes.Rounds;

    /// <summary>Does the work once and answers one value for each quantity.</summary>
    protected abstract Task<double[]> MeasureAsync(Bench bench, Side side, CancellationToken cancellation);
}
