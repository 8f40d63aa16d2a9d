// SPDX-License-Identifier: Apache-2.0

using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

// In this process: a project made on the way would not know the pinned packages.
ManualConfig config = DefaultConfig.Instance
    .AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance))
    .AddColumn(StatisticColumn.Median, StatisticColumn.P95, StatisticColumn.OperationsPerSecond)
    .HideColumns(Column.Error, Column.StdDev, Column.RatioSD);
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args, config);
