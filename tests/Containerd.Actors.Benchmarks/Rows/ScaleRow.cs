// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using Containerd.Actors.Benchmarks.Measures;
using Containerd.Actors.Benchmarks.Sides;
using Containerd.Services.Tasks.V1;

namespace Containerd.Actors.Benchmarks.Rows;

/// <summary>What lists take, and what the daemon holds, when many containers run beside many that do not.</summary>
internal sealed class ScaleRow(Sizes sizes) : PairedRow
{
    /// <summary>How many containers.</summary>
    public static Crowd Crowded { get; } = new(size => size.Running, size => size.Records);

    /// <inheritdoc />
    public override string Name => "scale";

    /// <inheritdoc />
    public override Crowd Crowd => Crowded;

    /// <summary>The same in words.</summary>
    public static string About(Sizes sizes) => $"{sizes.Records:N0} idle and {sizes.Running} running";

    /// <inheritdoc />
    protected override IReadOnlyList<Quantity> Quantities { get; } =
    [
        new($"task list, {About(sizes)}", "ms", Goal.RatioAtMost(1)),
        new($"container list, {About(sizes)}", "ms", Goal.RatioAtMost(1)),
        new($"RSS of the daemon, {About(sizes)}", "kB"),
        new($"private memory of the daemon, {About(sizes)}", "kB"),
    ];

    /// <inheritdoc />
    protected override async Task<double[]> MeasureAsync(Bench bench, Side side, CancellationToken cancellation)
    {
        long started = Stopwatch.GetTimestamp();
        ListTasksResponse tasks = await side.Connection.Tasks.ListAsync(new ListTasksRequest(), cancellationToken: cancellation);
        double listing = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        started = Stopwatch.GetTimestamp();
        int containers = (await side.Containers.ListAsync(cancellation)).Count;
        double containersListing = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        if (tasks.Tasks.Count != sizes.Running || containers != sizes.Running + sizes.Records)
        {
            throw new InvalidOperationException($"{side.Name}: {tasks.Tasks.Count} tasks and {containers} containers are listed");
        }

        ProcessMemory memory = ProcessMemory.Of(side.Pid);
        return [listing, containersListing, memory.Resident, memory.Private];
    }
}
