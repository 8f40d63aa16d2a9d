// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Supervision.Namespaces.Containers.Tasks.Shims;

namespace Containerd.Actors.Supervision.Tests.Namespaces.Containers.Tasks.Shims;

public sealed class ShimEndingsSpecs
{
    private readonly ConcurrentQueue<string> _log = [];
    private readonly HurriedTime _time = new();
    private readonly ShimEndings _endings;
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ShimEndingsSpecs() => _endings = new ShimEndings(_log.Enqueue, _time);

    [Fact]
    public async Task A_task_of_the_same_id_waits_and_no_other_does()
    {
        _ = _endings.Add("ns", "a", () => _done.Task);
        Assert.True(_endings.Has("ns", "a"));
        Task same = _endings.WaitAsync("ns", "a", default);
        Assert.False(same.IsCompleted);
        Assert.True(_endings.WaitAsync("ns", "b", default).IsCompleted);
        Assert.True(_endings.WaitAsync("other", "a", default).IsCompleted);
        _done.SetResult();
        await same;
    }

    [Fact]
    public async Task Whoever_waits_may_give_up()
    {
        _ = _endings.Add("ns", "a", () => _done.Task);
        using CancellationTokenSource patience = new();
        Task waiting = _endings.WaitAsync("ns", "a", patience.Token);
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    [Fact]
    public async Task What_something_was_in_the_way_of_is_tried_again()
    {
        int attempts = 0;
        await _endings.Add("ns", "a", () => ++attempts == 3 ? Task.CompletedTask : throw new IOException("in the way"));
        Assert.Equal(3, attempts);
        Assert.Equal(["the end of ns/a: in the way", "the end of ns/a: in the way"], _log);
        Assert.Equal([TimeSpan.FromMilliseconds(100), TimeSpan.FromMilliseconds(200)], _time.Pauses);
    }

    [Fact]
    public async Task One_that_fails_again_and_again_is_over_too()
    {
        Task ending = _endings.Add("ns", "a", () => throw new RefusedException(Error.Unknown("never")));
        await _endings.WaitAsync("ns", "a", default);
        await ending;
        while (_endings.Has("ns", "a"))
        {
            await Task.Yield();
        }

        Assert.Equal(5, _log.Count);
    }

    [Fact]
    public void What_is_done_is_not_kept()
    {
        _ = _endings.Add("ns", "a", () => Task.CompletedTask);
        Assert.False(_endings.Has("ns", "a"));
    }

    /// <summary>A clock whose timers are due at once; it keeps how long they would have waited.</summary>
    private sealed class HurriedTime : TimeProvider
    {
        public ConcurrentQueue<TimeSpan> Pauses { get; } = [];

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (dueTime > TimeSpan.Zero)
            {
                Pauses.Enqueue(dueTime);
                dueTime = TimeSpan.Zero;
            }

            return System.CreateTimer(callback, state, dueTime, period);
        }
    }
}
