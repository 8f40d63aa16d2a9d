// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Containerd.Actors.Benchmarks;
using Containerd.Actors.Benchmarks.Measures;
using Checkout = Containerd.Actors.TestKit.Programs.Checkout;

const int ChurnDefault = 10_000;

// BenchmarkDotNet has a command line of its own.
if (args is ["micro", .. string[] rest])
{
    // In this process: a project made on the way would not know the pinned packages.
    ManualConfig config = DefaultConfig.Instance
        .AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance))
        .AddColumn(StatisticColumn.Median, StatisticColumn.P95, StatisticColumn.OperationsPerSecond)
        .HideColumns(Column.Error, Column.StdDev, Column.RatioSD);
    BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(rest, config);
    return 0;
}

Option<string[]> only = new("--only") { Description = $"Rows whose names contain this: {string.Join(", ", Comparison.Names)}", HelpName = "NAME" };
Option<int?> rounds = new("--rounds") { Description = $"Pairs of each row; a fifth for those that take seconds (default: {Sizes.Full.Rounds})", HelpName = "N" };
Option<bool> quick = new("--quick") { Description = "Little of everything: whether it works, not how fast it is" };
Option<bool> alone = new("--alone") { Description = "Without containerd to compare with" };
Option<string> oci = new("--oci") { Description = "OCI runtime of both sides (default: crun where it works, else runc)", HelpName = "NAME" };
Option<int?> count = new("--count") { Description = $"Short containers of the churn (default: {ChurnDefault:N0} by itself, {Sizes.Full.Churn:N0} among the others)", HelpName = "N" };
Option<string> output = new("--output") { Description = "Directory of the table and the plots (default: out/benchmarks)", HelpName = "DIR", DefaultValueFactory = _ => Path.Combine(Checkout.Top, "out", "benchmarks") };

Command churn = new("churn", "The daemon's memory under short containers, one after the other") { quick, alone, oci, count, output };
churn.SetAction((parsed, cancellation) => CompareAsync(parsed, ["churn"], ChurnDefault, cancellation));

RootCommand root = new("Compares with Debian's containerd on this machine, in pairs; \"micro\" measures the pieces alone with BenchmarkDotNet")
{
    only, rounds, quick, alone, oci, count, output, churn,
};
root.SetAction((parsed, cancellation) => CompareAsync(parsed, parsed.GetValue(only) ?? [], Sizes.Full.Churn, cancellation));

// Whatever was started is ended first, also when this is interrupted: that takes longer than the two seconds of the default.
return await root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromMinutes(2), EnableDefaultExceptionHandler = false });

async Task<int> CompareAsync(ParseResult parsed, string[] names, int churned, CancellationToken cancellation)
{
    Sizes sizes = parsed.GetValue(quick) ? Sizes.Quick : Sizes.Full with { Churn = churned };
    sizes = sizes with { Rounds = parsed.GetValue(rounds) ?? sizes.Rounds, Churn = parsed.GetValue(count) ?? sizes.Churn };
    ComparisonRequest request = new(sizes, names, parsed.GetValue(alone), parsed.GetValue(oci), Path.GetFullPath(parsed.GetRequiredValue(output)));
    try
    {
        return await new Comparison(request).RunAsync(cancellation);
    }
    catch (Exception) when (cancellation.IsCancellationRequested)
    {
        await Console.Error.WriteLineAsync("bench: interrupted");
        return 130;
    }
    catch (InvalidOperationException refused)
    {
        await Console.Error.WriteLineAsync($"bench: {refused.Message}");
        return 1;
    }
}
