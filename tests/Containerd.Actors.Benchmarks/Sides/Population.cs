// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Benchmarks.Sides;

/// <summary>The idle containers of one side; rows that follow each other keep those that both want.</summary>
internal sealed class Population(Containers containers)
{
    private const int AtOnce = 4;

    private static readonly string[] Idle = ["sleep", "100000"];

    private int _running;
    private int _records;

    /// <summary>The name of one that runs.</summary>
    public static string Running(int number) => $"running-{number}";

    /// <summary>The name of one without a task.</summary>
    public static string Record(int number) => $"record-{number}";

    /// <summary>Makes and removes until there are as many as wanted.</summary>
    public async Task BringToAsync(int running, int records, CancellationToken cancellation)
    {
        await ForEachAsync(_running, running, (i, token) => containers.StartAsync(Running(i), Idle, token), cancellation);
        await ForEachAsync(running, _running, (i, token) => containers.RemoveAsync(Running(i), token), cancellation);
        _running = running;
        await ForEachAsync(_records, records, (i, token) => containers.RecordAsync(Record(i), token), cancellation);
        await ForEachAsync(records, _records, (i, token) => containers.RemoveAsync(Record(i), token), cancellation);
        _records = records;
    }

    /// <summary>Removes whatever containers there are.</summary>
    public async Task ClearAsync(CancellationToken cancellation)
    {
        IReadOnlyList<string> left = await containers.ListAsync(cancellation);
        await ForEachAsync(0, left.Count, (i, token) => containers.RemoveAsync(left[i], token), cancellation);
        (_running, _records) = (0, 0);
    }

    // From the first number up to the second, exclusively; nothing when the second is lower.
    private static Task ForEachAsync(int from, int to, Func<int, CancellationToken, Task> act, CancellationToken cancellation) => Parallel.ForEachAsync(
        Enumerable.Range(from, Math.Max(0, to - from)),
        new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellation },
        async (i, token) => await act(i, token));
}
