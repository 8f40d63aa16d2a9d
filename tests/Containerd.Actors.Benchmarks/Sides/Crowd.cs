// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Benchmarks.Measures;

namespace Containerd.Actors.Benchmarks.Sides;

/// <summary>What a side holds while something is measured: numbers of containers that run, and of records without a task.</summary>
/// <param name="Running">Containers that run and do nothing.</param>
/// <param name="Records">Records of containers, without snapshot and task.</param>
internal readonly record struct Crowd(Func<Sizes, int> Running, Func<Sizes, int> Records)
{
    /// <summary>Nobody.</summary>
    public static readonly Crowd None = new(_ => 0, _ => 0);

    /// <summary>Containers that run.</summary>
    public static Crowd Of(Func<Sizes, int> running) => new(running, _ => 0);
}
