// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Benchmarks.Sides;

namespace Containerd.Actors.Benchmarks.Measures;

/// <summary>One thing that is measured; it gives one figure or a few that come of the same work.</summary>
internal abstract class Row
{
    /// <summary>By which it is chosen on the command line.</summary>
    public abstract string Name { get; }

    /// <summary>How many containers each side runs, and how many records of others it has, while this is measured.</summary>
    public virtual Crowd Crowd => Crowd.None;

    /// <summary>Measures.</summary>
    /// <exception cref="OperationCanceledException">It is not wanted any more.</exception>
    public abstract Task<IReadOnlyList<Figure>> MeasureAsync(Bench bench, CancellationToken cancellation);
}
