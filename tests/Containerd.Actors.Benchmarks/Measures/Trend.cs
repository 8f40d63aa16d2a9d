// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Benchmarks.Measures;

/// <summary>A straight line through samples, by least squares.</summary>
/// <param name="Slope">Change of the value for each step of one.</param>
/// <param name="Error">Standard error of the slope.</param>
/// <param name="Mean">Mean of the values.</param>
internal sealed record Trend(double Slope, double Error, double Mean)
{
    // Growth over a thousand steps, as a share of the mean, below which a line counts as flat.
    private const double FlatShare = 0.01;

    /// <summary>Whether a thousand steps more would change the value by less than one percent, or by less than the samples can tell.</summary>
    public bool IsFlat => Math.Abs(Slope) * 1000 < FlatShare * Mean || Math.Abs(Slope) < 2 * Error;

    /// <summary>The line through these points; flat where there are too few for one.</summary>
    public static Trend Through(IReadOnlyList<(double At, double Value)> samples)
    {
        if (samples.Count < 3)
        {
            return new Trend(0, 0, samples.Select(sample => sample.Value).DefaultIfEmpty().Average());
        }

        double at = samples.Average(sample => sample.At);
        double mean = samples.Average(sample => sample.Value);
        double spread = samples.Sum(sample => (sample.At - at) * (sample.At - at));
        double slope = samples.Sum(sample => (sample.At - at) * (sample.Value - mean)) / spread;
        double rest = samples.Sum(sample => Math.Pow(sample.Value - mean - (slope * (sample.At - at)), 2));
        return new Trend(slope, Math.Sqrt(rest / (samples.Count - 2) / spread), mean);
    }
}
