// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Registry.Tests;

/// <summary>A clock that stands still; its timers fire when a test says so.</summary>
internal sealed class ManualTime : TimeProvider
{
    private readonly List<ManualTimer> _timers = [];
    private readonly Dictionary<TimeSpan, TaskCompletionSource> _awaited = [];

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, () => callback(state));
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Completes when a timer of this duration runs.</summary>
    public Task TimerOf(TimeSpan dueTime)
    {
        lock (_timers)
        {
            return Awaited(dueTime).Task;
        }
    }

    public void Fire(TimeSpan dueTime)
    {
        ManualTimer[] due;
        lock (_timers)
        {
            due = [.. _timers.Where(timer => timer.DueTime == dueTime)];
            _timers.RemoveAll(timer => timer.DueTime == dueTime);
        }

        Array.ForEach(due, timer => timer.Callback());
    }

    private TaskCompletionSource Awaited(TimeSpan dueTime)
    {
        if (!_awaited.TryGetValue(dueTime, out TaskCompletionSource? source))
        {
            _awaited[dueTime] = source = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        return source;
    }

    private sealed class ManualTimer(ManualTime time, Action callback) : ITimer
    {
        public TimeSpan DueTime { get; private set; } = Timeout.InfiniteTimeSpan;

        public Action Callback => callback;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (time._timers)
            {
                DueTime = dueTime;
                time._timers.Remove(this);
                if (dueTime != Timeout.InfiniteTimeSpan)
                {
                    time._timers.Add(this);
                    time.Awaited(dueTime).TrySetResult();
                }
            }

            return true;
        }

        public void Dispose() => Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
