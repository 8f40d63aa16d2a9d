// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Benchmarks.Measures;

/// <summary>What is measured: its name, its unit and what it should be.</summary>
/// <param name="Name">What, in the words of the table.</param>
/// <param name="Unit">Of the values.</param>
/// <param name="Goal">What it should be; null where nothing was promised.</param>
internal sealed record Quantity(string Name, string Unit, Goal? Goal = null);

/// <summary>A quantity with what was measured: one line of the table.</summary>
/// <param name="Quantity">What.</param>
/// <param name="Reference">The reference's value; null if it was not measured.</param>
/// <param name="Ours">Our value.</param>
/// <param name="Ratio">Ours over the reference's; null without a reference.</param>
internal sealed record Figure(Quantity Quantity, double? Reference, double Ours, double? Ratio)
{
    /// <summary>Whether the goal is kept; null where there is none, or nothing to compare with.</summary>
    public bool? IsMet => Quantity.Goal?.IsMetBy(this);

    /// <summary>A figure of one measurement of each side.</summary>
    public static Figure Once(Quantity quantity, double? reference, double ours) => new(quantity, reference, ours, ours / reference);

    /// <summary>A figure of pairs: medians of the values, and the median of the pairs' ratios, which what slows both sides leaves alone.</summary>
    /// <param name="quantity">What.</param>
    /// <param name="reference">The reference's values, one for each round; empty without a reference.</param>
    /// <param name="ours">Our values, one for each round.</param>
    public static Figure OfPairs(Quantity quantity, IReadOnlyList<double> reference, IReadOnlyList<double> ours) => reference.Count == 0
        ? new Figure(quantity, null, Medians.Of(ours), null)
        : new Figure(quantity, Medians.Of(reference), Medians.Of(ours), Medians.Of([.. ours.Zip(reference, (mine, other) => mine / other)]));
}
