// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using Containerd.Actors.Daemon.Hosting;

namespace Containerd.Actors.Architecture.Tests;

/// <summary>The memory that connections take and what is given back.</summary>
public sealed class MemorySpecs
{
    [Fact]
    public void A_block_that_is_given_back_is_used_again_and_given_back_twice_goes_to_one()
    {
        using ConnectionMemory pool = new();
        IMemoryOwner<byte> block = pool.Rent(4096);
        Assert.Equal(ConnectionMemory.BlockSize, block.Memory.Length);
        block.Dispose();
        block.Dispose();
        Assert.Equal(1, pool.Retained);
        using IMemoryOwner<byte> one = pool.Rent();
        using IMemoryOwner<byte> two = pool.Rent();
        Assert.Same(block, one);
        Assert.NotSame(one, two);
        Assert.Equal(0, pool.Retained);
    }

    [Fact]
    public void No_more_blocks_are_kept_than_the_bound_says_and_larger_ones_are_refused()
    {
        using ConnectionMemory pool = new();
        IMemoryOwner<byte>[] blocks = [.. Enumerable.Range(0, ConnectionMemory.RetainedMax + 10).Select(_ => pool.Rent())];
        foreach (IMemoryOwner<byte> block in blocks)
        {
            block.Dispose();
        }

        Assert.Equal(ConnectionMemory.RetainedMax, pool.Retained);
        pool.LetGo();
        Assert.Equal(0, pool.Retained);
        Assert.Throws<ArgumentOutOfRangeException>(() => pool.Rent(ConnectionMemory.BlockSize + 1));
    }

    [Fact]
    public void Memory_is_given_back_once_after_work_when_it_is_quiet_again()
    {
        SpareMemory memory = new();
        long busy = 10 * SpareMemory.WorthBytes;
        Assert.False(memory.IsDue(busy));
        Assert.True(memory.IsDue(busy + 1));
        Assert.False(memory.IsDue(busy + 2));
        Assert.False(memory.IsDue(busy + SpareMemory.WorthBytes + 1));
        Assert.True(memory.IsDue(busy + SpareMemory.WorthBytes + 1));
    }

    [Fact]
    public void Memory_is_given_back_now_and_then_by_a_daemon_that_is_never_quiet()
    {
        SpareMemory memory = new();
        long step = SpareMemory.BusyBytes / 4;
        bool[] due = [.. Enumerable.Range(1, 8).Select(look => memory.IsDue(look * step))];
        Assert.Equal([false, false, false, true, false, false, false, true], due);
    }
}
