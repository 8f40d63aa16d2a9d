// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Benchmarks.Reports;

/// <summary>An axis from zero: where values lie on it, and which of them are written beside it.</summary>
/// <param name="From">The pixel of zero.</param>
/// <param name="To">The pixel of the largest value.</param>
/// <param name="Most">The largest value.</param>
internal sealed record Scale(double From, double To, double Most)
{
    private const int TicksMax = 10;

    /// <summary>The pixel of a value.</summary>
    public double Of(double value) => From + ((To - From) * Math.Min(value, Most) / Most);

    /// <summary>Round values, the same distance apart.</summary>
    public IEnumerable<double> Ticks
    {
        get
        {
            double unit = Math.Pow(10, Math.Floor(Math.Log10(Most / TicksMax)));
            double step = new[] { 1, 2, 5, 10 }.Select(factor => factor * unit).First(each => Most / each <= TicksMax);
            return Enumerable.Range(0, TicksMax + 1).Select(i => i * step).Where(tick => tick <= Most);
        }
    }
}
