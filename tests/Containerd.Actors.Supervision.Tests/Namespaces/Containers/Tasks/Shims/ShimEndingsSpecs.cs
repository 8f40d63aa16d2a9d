// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Supervision.Namespaces.Containers.Tasks.Shims;

namespace Containerd.Actors.Supervision.Tests.Namespaces.Containers.Tasks.Shims;

public sealed class ShimEndingsSpecs
{
    private readonly ShimEndings _endings = new();
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    [Fact]
    public async Task A_task_of_the_same_id_waits_and_no_other_does()
    {
        _endings.Add("ns", "a", _done.Task);
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
        _endings.Add("ns", "a", _done.Task);
        using CancellationTokenSource patience = new();
        Task waiting = _endings.WaitAsync("ns", "a", patience.Token);
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    [Fact]
    public async Task One_that_failed_is_over_too()
    {
        _endings.Add("ns", "a", _done.Task);
        Task same = _endings.WaitAsync("ns", "a", default);
        _done.SetException(new IOException("in the way"));
        await same;
        while (_endings.Has("ns", "a"))
        {
            await Task.Yield();
        }
    }

    [Fact]
    public void What_is_done_is_not_kept()
    {
        _endings.Add("ns", "a", Task.CompletedTask);
        Assert.False(_endings.Has("ns", "a"));
    }
}
