// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using Akka.Actor;
using Containerd.Actors.Benchmarks.Journals;
using Containerd.Actors.Benchmarks.Measures;
using Containerd.Actors.Benchmarks.Sides;

namespace Containerd.Actors.Benchmarks.Rows;

/// <summary>The journal alone, in the benchmark's process: appending, reading the whole log, and recovery of entities.</summary>
/// <remarks>containerd has nothing like it, so there is no reference.</remarks>
internal sealed class JournalRow(Sizes sizes) : Row
{
    private const int Writers = 50;
    private const int EventsOfEntity = 5;

    /// <inheritdoc />
    public override string Name => "journal";

    /// <inheritdoc />
    public override async Task<IReadOnlyList<Figure>> MeasureAsync(Bench bench, CancellationToken cancellation) =>
        [.. await AppendAsync(bench.Disk), await RecoverAsync(bench.Disk)];

    private async Task<Figure[]> AppendAsync(string disk)
    {
        await using JournalLoad journal = JournalLoad.Open(disk);
        IActorRef[] actors = await journal.StartAsync(Writers);
        await JournalLoad.AppendAsync(actors, sizes.Events / Writers / 10);
        TimeSpan[] one = await JournalLoad.AppendAsync(actors[..1], sizes.Events / Writers);
        long started = Stopwatch.GetTimestamp();
        TimeSpan[] many = await JournalLoad.AppendAsync(actors, sizes.Events / Writers);
        double rate = many.Length / Stopwatch.GetElapsedTime(started).TotalSeconds;
        await journal.ReadAsync();
        started = Stopwatch.GetTimestamp();
        int read = await journal.ReadAsync();
        double reading = read / Stopwatch.GetElapsedTime(started).TotalSeconds;
        return
        [
            Ours("durable event of one actor, median", "ms", Goal.AtMost(0.3), Medians.Of([.. one.Select(time => time.TotalMilliseconds)])),
            Ours($"durable events of {Writers} actors", "1/s", Goal.AtLeast(15_000), rate),
            Ours($"durable event of {Writers} actors, 99 %", "ms", Goal.AtMost(10), Medians.Quantile([.. many.Select(time => time.TotalMilliseconds)], 0.99)),
            Ours("reading of the whole log", "1/s", Goal.AtLeast(100_000), reading),
        ];
    }

    private async Task<Figure> RecoverAsync(string disk)
    {
        await using JournalLoad journal = JournalLoad.Open(disk);
        IActorRef[] actors = await journal.StartAsync(sizes.Entities);
        await JournalLoad.AppendAsync(actors, EventsOfEntity);
        await JournalLoad.StopAsync(actors);
        long started = Stopwatch.GetTimestamp();
        await journal.StartAsync(sizes.Entities);
        double rate = sizes.Entities / Stopwatch.GetElapsedTime(started).TotalSeconds;
        return Ours($"recovery of entities with {EventsOfEntity} events", "1/s", Goal.AtLeast(2000), rate);
    }

    private static Figure Ours(string name, string unit, Goal goal, double value) => Figure.Once(new Quantity(name, unit, goal), null, value);
}
