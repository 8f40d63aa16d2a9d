// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Containerd.Actors.Benchmarks.Images;
using Containerd.Actors.Benchmarks.Measures;
using Containerd.Actors.Benchmarks.Reports;
using Containerd.Actors.Benchmarks.Rows;
using Containerd.Actors.Benchmarks.Sides;
using Containerd.Actors.TestKit.Daemons;
using Containerd.Actors.TestKit.Programs;
using Grpc.Core;

namespace Containerd.Actors.Benchmarks;

/// <summary>What is asked of the comparison.</summary>
/// <param name="Sizes">How much is measured.</param>
/// <param name="Only">Rows whose names contain one of these; empty for all.</param>
/// <param name="IsAlone">Without the reference.</param>
/// <param name="OciRuntime">The OCI runtime of both sides; null for the first that works.</param>
/// <param name="Output">Where table and plots go.</param>
internal sealed record ComparisonRequest(Sizes Sizes, IReadOnlyList<string> Only, bool IsAlone, string? OciRuntime, string Output);

/// <summary>Measures this product's daemon beside Debian's containerd, row by row, and reports.</summary>
internal sealed class Comparison(ComparisonRequest request)
{
    private static readonly TimeSpan ClearingPatience = TimeSpan.FromMinutes(2);

    /// <summary>The names of all rows.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Rows(Sizes.Full).Select(row => row.Name).Distinct()];

    /// <summary>Measures; the exit status is 0 when every row could be measured, whatever came of it.</summary>
    public async Task<int> RunAsync(CancellationToken cancellation)
    {
        if (request.Only.FirstOrDefault(part => !Names.Any(name => Matches(name, part))) is { } unknown)
        {
            throw new InvalidOperationException($"no row is called {unknown}; there are {string.Join(", ", Names)}");
        }

        Directory.CreateDirectory(request.Output);
        await using Bench bench = await Bench.StartAsync(request.Sizes, request.Output, request.IsAlone, request.OciRuntime, cancellation);
        Report report = new(request.Output, await ConditionsAsync(bench));
        report.Begin();
        try
        {
            foreach (Row row in Rows(request.Sizes).Where(IsWanted))
            {
                await MeasureAsync(bench, row, report, cancellation);
            }
        }
        finally
        {
            report.End(bench.Notes);
        }

        return report.HasFailures ? 1 : 0;
    }

    // Rows that want the same crowd follow each other; those that look at what a daemon holds come before those that fill it.
    private static IReadOnlyList<Row> Rows(Sizes sizes) =>
    [
        new RunRow(),
        new CactlRunRow(),
        LifeRow.Alone,
        new OwnShareRow(),
        .. sizes.Storms.Select(count => new StormRow(count)),
        .. sizes.Storms.Select(count => new StartStormRow(count)),
        new ExecRow(),
        new PullRow(sizes, Compression.Gzip, isByCactl: false),
        new PullRow(sizes, Compression.Gzip, isByCactl: true),
        new PullRow(sizes, Compression.Zstd, isByCactl: false),
        new PullRow(sizes, Compression.Zstd, isByCactl: true),
        new DaemonMemoryRow(sizes, 0),
        new DaemonMemoryRow(sizes, sizes.TasksIdle),
        new ShimMemoryRow(sizes),
        new DaemonStartRow(),
        new GetRow(sizes),
        new ListRow(sizes),
        new ScaleRow(sizes),
        new LifeRow("scale start", ScaleRow.About(sizes), ScaleRow.Crowded),
        new RestartRow(sizes),
        new JournalRow(sizes),
        new ChurnRow(sizes),
    ];

    private bool IsWanted(Row row) => request.Only.Count == 0 || request.Only.Any(part => Matches(row.Name, part));

    private static bool Matches(string name, string part) => name.Contains(part, StringComparison.OrdinalIgnoreCase);

    private static async Task MeasureAsync(Bench bench, Row row, Report report, CancellationToken cancellation)
    {
        try
        {
            foreach (Side side in bench.Sides)
            {
                await side.Population.BringToAsync(row.Crowd.Running(bench.Sizes), row.Crowd.Records(bench.Sizes), cancellation);
            }

            foreach (Figure figure in await row.MeasureAsync(bench, cancellation))
            {
                report.Add(figure);
            }
        }
        catch (Exception failure) when (!cancellation.IsCancellationRequested)
        {
            // One row that fails must not hide what the others have to say.
            report.Add(row.Name, failure);
            await ClearAsync(bench);
        }
    }

    private static async Task ClearAsync(Bench bench)
    {
        using CancellationTokenSource impatience = new(ClearingPatience);
        foreach (Side side in bench.Sides)
        {
            try
            {
                await side.Population.ClearAsync(impatience.Token);
            }
            catch (Exception refused) when (refused is RpcException or OperationCanceledException)
            {
                bench.Note($"{side.Name}: containers of the row that failed are left: {refused.Message}");
            }
        }
    }

    private static async Task<string> ConditionsAsync(Bench bench)
    {
        string reference = bench.Reference is null ? "no reference" : (await Command.RunAsync("containerd", "--version")).Output.Trim();
        string unpackers = string.Join(", ", new[] { "igzip", "unpigz" }.Select(name => $"{name} {(File.Exists($"/usr/bin/{name}") ? "installed" : "not installed")}"));
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{reference}; ours from {ActorsDaemon.Binaries}; {bench.OciRuntime.Name} on both sides; {Environment.ProcessorCount} processors, Linux {Environment.OSVersion.Version}; {unpackers}.");
    }
}
