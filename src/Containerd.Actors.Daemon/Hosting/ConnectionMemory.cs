// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.Collections.Concurrent;
using Microsoft.AspNetCore.Connections;

namespace Containerd.Actors.Daemon.Hosting;

/// <summary>The buffers of connections: blocks of a size that takes an upload with few system calls.</summary>
/// <remarks>
/// Kestrel's own blocks of 4 KiB cost an upload one call and one hop between threads for each of them. A connection that waits holds none.
/// Up to <see cref="RetainedMax"/> blocks wait for their next use; more than that are left to the garbage collector.
/// </remarks>
internal sealed class ConnectionMemory : MemoryPool<byte>
{
    /// <summary>Bytes of a block: two frames of Go's HTTP/2.</summary>
    public const int BlockSize = 32 << 10;

    /// <summary>Blocks that are kept: 4 MiB.</summary>
    public const int RetainedMax = 128;

    private readonly ConcurrentQueue<Block> _idle = new();
    private int _idleCount;

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

    /// <summary>Makes the one pool of a listener.</summary>
    internal sealed class Factory : IMemoryPoolFactory<byte>
    {
        /// <inheritdoc />
        public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => new ConnectionMemory();
    }

    // Pinned, so that a receive that is under way does not tie down whatever else lies around it.
    private sealed class Block(ConnectionMemory pool) : IMemoryOwner<byte>
    {
        private readonly byte[] _bytes = GC.AllocateUninitializedArray<byte>(BlockSize, pinned: true);
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
