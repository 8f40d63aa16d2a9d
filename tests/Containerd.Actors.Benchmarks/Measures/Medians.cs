// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Benchmarks.Measures;

/// <summary>What stands in the middle of measurements.</summary>
internal static class Medians
{
    /// <summary>The median; the mean of the two in the middle of an even number.</summary>
    public static double Of(IReadOnlyCollection<double> values) => (Quantile(values, 0.5, up: false) + Quantile(values, 0.5, up: true)) / 2;

    /// <summary>The smallest value that this share of all values is not above.</summary>
    public static double Quantile(IReadOnlyCollection<double> values, double share) => Quantile(values, share, up: true);

    private static double Quantile(IReadOnlyCollection<double> values, double share, bool up)
    {
        double[] sorted = [.. values.Order()];
        double place = share * sorted.Length;
        int index = (int)(up ? Math.Floor(place) : Math.Ceiling(place) - 1);
        return sorted[Math.Clamp(index, 0, sorted.Length - 1)];
    }
}
