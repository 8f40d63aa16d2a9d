// SPDX-License-Identifier: Apache-2.0

using System.Globalization;

namespace Containerd.Actors.Benchmarks.Measures;

/// <summary>A bound on a figure: on ours over the reference's, or on ours alone.</summary>
internal sealed record Goal
{
    private readonly double _bound;
    private readonly bool _isRatio;
    private readonly bool _isCeiling;

    private Goal(double bound, bool isRatio, bool isCeiling) => (_bound, _isRatio, _isCeiling) = (bound, isRatio, isCeiling);

    /// <summary>Ours over the reference's is this or less.</summary>
    public static Goal RatioAtMost(double bound) => new(bound, isRatio: true, isCeiling: true);

    /// <summary>Ours over the reference's is this or more.</summary>
    public static Goal RatioAtLeast(double bound) => new(bound, isRatio: true, isCeiling: false);

    /// <summary>Ours is this or less, in the figure's unit.</summary>
    public static Goal AtMost(double bound) => new(bound, isRatio: false, isCeiling: true);

    /// <summary>Ours is this or more, in the figure's unit.</summary>
    public static Goal AtLeast(double bound) => new(bound, isRatio: false, isCeiling: false);

    /// <summary>The bound on the ratio; null if it is none on that.</summary>
    public double? Ratio => _isRatio ? _bound : null;

    /// <summary>Whether the figure keeps it; null if there was no reference to compare with.</summary>
    public bool? IsMetBy(Figure figure)
    {
        double? value = _isRatio ? figure.Ratio : figure.Ours;
        return value is null ? null : _isCeiling ? value <= _bound : value >= _bound;
    }

    /// <summary>As it is written beside a figure with this unit.</summary>
    public string Text(string unit)
    {
        string bound = _bound.ToString(_isRatio ? "0.0#" : "#,0.#", CultureInfo.InvariantCulture);
        return $"{(_isCeiling ? '≤' : '≥')} {bound}{(_isRatio ? "" : " " + unit)}";
    }
}
