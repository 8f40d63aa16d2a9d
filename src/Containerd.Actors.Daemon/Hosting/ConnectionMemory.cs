// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.Collections.Concurrent;
using Microsoft.AspNetCore.Connections;

namespace Containerd.Actors.Daemon.Hosting;

/// <summary>The buffers of connections: blocks of a size that takes an upload with few system calls.</summary>
/// <remarks>
/// Kestrel's own blocks of 4 KiB cost an upload one call and one hop between threads for each of them. A connection that waits holds none.
/// Up to <see cref="RetainedMax"/> blocks wait for their next use until the daemon is quiet; more than that are left to the garbage
/// collector.
/// </remarks>
internal sealed class ConnectionMemory : MemoryPool<byte>
{
    /// <summary>Bytes of a block: two frames of Go's HTTP/2.</summary>
    public const int BlockSize = 32 << 10;

    /// <summary>Blocks that are kept: 32 MiB, what the uploads of a pull take.</summary>
    public const int RetainedMax = 1024;

    private readonly ConcurrentQueue<Block> _idle = new();
    private int _idleCount;

    /// <summary>The one of the daemon.</summary>
    public static ConnectionMemory Common { get; } = new();

    /// <inheritdoc />
    public override int MaxBufferSize => BlockSize;

    /// <summary>Blocks that wait for their next use.</summary>
    public int Retained => Volatile.Read(ref _idleCount);

    /// <inheritdoc />
    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, BlockSize);
        if (!_idle.TryDequeue(out Block? block))
        {
            return new Block(this);
        }

        Interlocked.Decrement(ref _idleCount);
        block.Take();
        return block;
    }

    /// <summary>Leaves the blocks that wait for their next use to the garbage collector.</summary>
    public void LetGo()
    {
        while (_idle.TryDequeue(out _))
        {
            Interlocked.Decrement(ref _idleCount);
        }
    }

    /// <inheritdoc />
    protected override void Dispose(bool disposing)
    {
    }

    private void Return(Block block)
    {
        if (Interlocked.Increment(ref _idleCount) <= RetainedMax)
        {
            _idle.Enqueue(block);
        }
        else
        {
            Interlocked.Decrement(ref _idleCount);
        }
    }

    /// <summary>Gives all listeners the one of the daemon.</summary>
    internal sealed class Factory : IMemoryPoolFactory<byte>
    {
        /// <inheritdoc />
        public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => Common;
    }

    // Not pinned: the pinned heap is never compacted, so few blocks in use would hold the room of all that a pull had at its height.
    // The kernel is only asked for bytes that are there already, and holds a block for no longer than that takes.
    private sealed class Block(ConnectionMemory pool) : IMemoryOwner<byte>
    {
        private readonly byte[] _bytes = GC.AllocateUninitializedArray<byte>(BlockSize);
        private int _taken = 1;

        public Memory<byte> Memory => _bytes;

        public void Take() => Volatile.Write(ref _taken, 1);

        // Only the first of several calls gives it back: nobody may get a block that another holds.
        public void Dispose()
        {
            if (Interlocked.Exchange(ref _taken, 0) == 1)
            {
                pool.Return(this);
            }
        }
    }
}
