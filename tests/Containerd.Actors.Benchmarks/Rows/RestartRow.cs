// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using Containerd.Actors.Benchmarks.Measures;
using Containerd.Actors.Benchmarks.Sides;
using Containerd.Services.Tasks.V1;
using Status = Containerd.V1.Types.Status;

namespace Containerd.Actors.Benchmarks.Rows;

/// <summary>A daemon that was killed under many running containers: until it answers, and until its list says of each that it runs.</summary>
internal sealed class RestartRow(Sizes sizes) : PairedRow
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <inheritdoc />
    public override string Name => "restart";

    /// <inheritdoc />
    public override Crowd Crowd => Crowd.Of(size => size.Running);

    /// <inheritdoc />
    protected override IReadOnlyList<Quantity> Quantities { get; } =
    [
        new($"restart with {sizes.Running} running, until the API serves", "ms", Goal.AtMost(1000)),
        new($"restart with {sizes.Running} running, until all are listed as running", "ms", Goal.AtMost(2500)),
    ];

    /// <inheritdoc />
    protected override int Rounds(Sizes size) => size.HeavyRounds;

    /// <inheritdoc />
    protected override async Task<double[]> MeasureAsync(Bench bench, Side side, CancellationToken cancellation)
    {
        await side.KillAsync();
        long started = Stopwatch.GetTimestamp();
        TimeSpan serving = await side.StartAgainAsync();
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(10));
        while (true)
        {
            ListTasksResponse listed = await side.Connection.Tasks.ListAsync(new ListTasksRequest(), cancellationToken: cancellation);
            if (listed.Tasks.Count(task => task.Status == Status.Running) == sizes.Running)
            {
                return [serving.TotalMilliseconds, Stopwatch.GetElapsedTime(started).TotalMilliseconds];
            }

            if (Stopwatch.GetElapsedTime(started) > Patience)
            {
                string seen = string.Join(", ", listed.Tasks.CountBy(task => task.Status).Select(pair => $"{pair.Value} {pair.Key}"));
                throw new TimeoutException($"{side.Name}: of {sizes.Running} containers that ran before, the list says {(seen.Length > 0 ? seen : "nothing")}");
            }

            await timer.WaitForNextTickAsync(cancellation);
        }
    }
}
