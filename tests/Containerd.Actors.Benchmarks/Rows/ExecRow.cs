// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using Containerd.Actors.Benchmarks.Measures;
using Containerd.Actors.Benchmarks.Sides;
using Containerd.Actors.Client.Values;
using Containerd.Actors.Oci.Runtime;
using Containerd.Actors.TestKit.Daemons;
using Containerd.Services.Tasks.V1;

namespace Containerd.Actors.Benchmarks.Rows;

/// <summary>A further process in a container that runs, from its request to its deletion.</summary>
internal sealed class ExecRow : PairedRow
{
    private static readonly byte[] Process = new ProcessSpec { Args = ["true"], Cwd = "/", Env = ["PATH=/bin"] }.ToJson();

    /// <inheritdoc />
    public override string Name => "exec";

    /// <inheritdoc />
    public override Crowd Crowd => Crowd.Of(_ => 1);

    /// <inheritdoc />
    protected override IReadOnlyList<Quantity> Quantities { get; } = [new("exec, start, wait and delete, one connection", "ms")];

    /// <inheritdoc />
    protected override async Task<double[]> MeasureAsync(Bench bench, Side side, CancellationToken cancellation)
    {
        ExecProcessRequest request = new() { ContainerId = Population.Running(0), Spec = TypedAny.OfJson(TypedAny.ProcessUrl, Process) };
        long started = Stopwatch.GetTimestamp();
        await Execs.RunAsync(side.Connection, request, cancellation);
        return [Stopwatch.GetElapsedTime(started).TotalMilliseconds];
    }
}
