// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Globalization;
using Containerd.Actors.Benchmarks.Measures;
using Containerd.Actors.Benchmarks.Reports;
using Containerd.Actors.Benchmarks.Sides;

namespace Containerd.Actors.Benchmarks.Rows;

/// <summary>Short containers one after the other through one connection, and the daemon's memory meanwhile, which is drawn.</summary>
internal sealed class ChurnRow(Sizes sizes) : Row
{
    /// <inheritdoc />
    public override string Name => "churn";

    /// <inheritdoc />
    public override async Task<IReadOnlyList<Figure>> MeasureAsync(Bench bench, CancellationToken cancellation)
    {
        Dictionary<Side, Churned> churned = [];
        foreach (Side side in bench.Sides)
        {
            churned[side] = await ChurnAsync(side, cancellation);
            bench.Note($"{side.Name}: {churned[side].Statement}");
        }

        MemoryPlot.Write(
            Path.Combine(bench.Output, "churn.svg"),
            $"Memory of the daemon over {sizes.Churn:N0} short containers",
            [.. bench.Sides.SelectMany(side => churned[side].Lines(side.Name))]);
        Churned? reference = bench.Reference is null ? null : churned[bench.Reference];
        Churned ours = churned[bench.Ours];
        return
        [
            Figure.Once(new Quantity($"each of {sizes.Churn:N0} short containers, one connection", "ms"), reference?.MillisecondsEach, ours.MillisecondsEach),
            Growth("RSS", reference?.Resident, ours.Resident),
            Growth("private memory", reference?.Private, ours.Private),
        ];
    }

    // No ratio: what grows by nothing is divided by nothing.
    private static Figure Growth(string what, Trend? reference, Trend ours) =>
        new(new Quantity($"growth of the daemon's {what} for each 1,000 of them, second half", "kB"), reference?.Slope * 1000, ours.Slope * 1000, null);

    private async Task<Churned> ChurnAsync(Side side, CancellationToken cancellation)
    {
        List<(int At, ProcessMemory Memory)> samples = [(0, ProcessMemory.Of(side.Pid))];
        long started = Stopwatch.GetTimestamp();
        for (int i = 1; i <= sizes.Churn; i++)
        {
            await OwnShareRow.OneAsync(side, $"churn-{i}", cancellation);
            if (i % sizes.ChurnSample == 0)
            {
                samples.Add((i, ProcessMemory.Of(side.Pid)));
            }
        }

        return new Churned(samples, Stopwatch.GetElapsedTime(started).TotalMilliseconds / sizes.Churn);
    }

    /// <summary>What one side's daemon held after how many containers.</summary>
    private sealed class Churned(IReadOnlyList<(int At, ProcessMemory Memory)> samples, double millisecondsEach)
    {
        public double MillisecondsEach => millisecondsEach;

        public Trend Resident { get; } = Late(samples, memory => memory.Resident);

        public Trend Private { get; } = Late(samples, memory => memory.Private);

        public string Statement => $"RSS {Words(Resident)}; private memory {Words(Private)}.";

        public IReadOnlyList<PlotLine> Lines(string side) =>
        [
            new($"{side}, RSS", [.. samples.Select(sample => (sample.At, sample.Memory.Resident / 1024))]),
            new($"{side}, private", [.. samples.Select(sample => (sample.At, sample.Memory.Private / 1024))]),
        ];

        // The first half is where caches fill and code is warmed up.
        private static Trend Late(IReadOnlyList<(int At, ProcessMemory Memory)> samples, Func<ProcessMemory, double> which) =>
            Trend.Through([.. samples.Skip(samples.Count / 2).Select(sample => ((double)sample.At, which(sample.Memory)))]);

        private static string Words(Trend trend) => string.Create(
            CultureInfo.InvariantCulture,
            $"{(trend.IsFlat ? "is flat" : trend.Slope > 0 ? "grows" : "shrinks")} ({trend.Slope * 1000:+#,0;-#,0;0} ± {2 * trend.Error * 1000:#,0} kB for each 1,000 containers at {trend.Mean:#,0} kB)");
    }
}
