// SPDX-License-Identifier: Apache-2.0

using Akka.Actor;
using BenchmarkDotNet.Attributes;
using Containerd.Actors.Benchmarks.Journals;

namespace Containerd.Actors.Benchmarks.Micro;

/// <summary>The journal on a disk: durable appends as actors make them, and reading of the whole log.</summary>
[MemoryDiagnoser]
public class JournalBenchmarks
{
    private const int Writers = 50;
    private const int Each = 100;
    private const int Log = 20_000;

    private JournalLoad? _appended;
    private JournalLoad? _log;
    private IActorRef[] _actors = [];

    // Beside the program: /tmp may be memory.
    [GlobalSetup]
    public async Task StartAsync()
    {
        _appended = JournalLoad.Open(AppContext.BaseDirectory);
        _actors = await _appended.StartAsync(Writers);
        _log = JournalLoad.Open(AppContext.BaseDirectory);
        await JournalLoad.AppendAsync(await _log.StartAsync(Writers), Log / Writers);
    }

    [GlobalCleanup]
    public async Task StopAsync()
    {
        await _appended!.DisposeAsync();
        await _log!.DisposeAsync();
    }

    [Benchmark]
    public Task Append_by_one_actor() => JournalLoad.AppendAsync(_actors[..1], 1);

    [Benchmark(OperationsPerInvoke = Writers * Each)]
    public Task Append_by_50_actors() => JournalLoad.AppendAsync(_actors, Each);

    [Benchmark(OperationsPerInvoke = Log)]
    public Task<int> Read_from_the_log() => _log!.ReadAsync();
}
