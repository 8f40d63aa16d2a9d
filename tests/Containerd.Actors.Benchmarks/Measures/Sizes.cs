// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Benchmarks.Measures;

/// <summary>How much of everything is measured.</summary>
internal sealed record Sizes
{
    /// <summary>What the goals are about.</summary>
    public static readonly Sizes Full = new();

    /// <summary>Little of everything: whether it works, not how fast it is.</summary>
    public static readonly Sizes Quick = new()
    {
        Rounds = 1,
        Storms = [3, 5],
        Gets = 20,
        Records = 10,
        Running = 4,
        ShimsIdle = 2,
        TasksIdle = 3,
        Churn = 12,
        ChurnSample = 2,
        Layers = 3,
        LayerFiles = 4,
        Events = 200,
        Entities = 50,
        QuietSeconds = 0,
    };

    /// <summary>Pairs of a row that takes milliseconds.</summary>
    public int Rounds { get; init; } = 15;

    /// <summary>Pairs of a row that takes seconds.</summary>
    public int HeavyRounds => Math.Min(Rounds, Math.Max(3, Rounds / 5));

    /// <summary>Containers of a start storm: a small and a large one.</summary>
    public IReadOnlyList<int> Storms { get; init; } = [30, 50];

    /// <summary>Calls of one measurement of the throughput of Get.</summary>
    public int Gets { get; init; } = 2000;

    /// <summary>Records of containers without a task.</summary>
    public int Records { get; init; } = 1000;

    /// <summary>Containers that run while a daemon restarts.</summary>
    public int Running { get; init; } = 300;

    /// <summary>Containers whose shims' memory is measured.</summary>
    public int ShimsIdle { get; init; } = 20;

    /// <summary>Containers under which the daemon's memory is measured.</summary>
    public int TasksIdle { get; init; } = 200;

    /// <summary>Short containers, one after the other.</summary>
    public int Churn { get; init; } = 1000;

    /// <summary>Of which the daemon's memory is looked at after so many each.</summary>
    public int ChurnSample { get; init; } = 100;

    /// <summary>Layers of the image that is pulled, each with so many files of a hundred kilobytes on average.</summary>
    public int Layers { get; init; } = 12;

    /// <inheritdoc cref="Layers" />
    public int LayerFiles { get; init; } = 400;

    /// <summary>Events that are appended to the journal, and read from it.</summary>
    public int Events { get; init; } = 50_000;

    /// <summary>Entities that recover from the journal.</summary>
    public int Entities { get; init; } = 5000;

    /// <summary>How long a daemon's memory must stay the same before it is believed.</summary>
    public int QuietSeconds { get; init; } = 3;
}
