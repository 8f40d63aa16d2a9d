// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using Google.Protobuf;

namespace Containerd.Actors.Ttrpc.Frames;

/// <summary>Frames over a byte stream: one reader, any number of writers that take turns.</summary>
internal sealed class FrameChannel(Stream stream) : IDisposable
{
    private readonly FrameDecoder _decoder = new();
    private readonly SemaphoreSlim _turn = new(1, 1);

    /// <summary>Reads until the stream ends or fails; hands each frame to <paramref name="take"/> in order.</summary>
    /// <remarks>The data given to <paramref name="take"/> is only valid until its task ends.</remarks>
    /// <exception cref="EndOfStreamException">The input ended inside a frame.</exception>
    public async Task ReadAllAsync(Func<FrameHeader, ReadOnlyMemory<byte>, ValueTask> take, CancellationToken cancellation)
    {
        while (true)
        {
            while (_decoder.TryRead(out var header, out var data))
            {
                await take(header, data).ConfigureAwait(false);
            }

            var count = await stream.ReadAsync(_decoder.GetMemory(), cancellation).ConfigureAwait(false);
            if (count == 0)
            {
                if (_decoder.IsInsideFrame)
                {
                    throw new EndOfStreamException("unexpected end of stream inside a frame");
                }

                return;
            }

            _decoder.Advance(count);
        }
    }

    /// <summary>Waits for the turn to write; the turn ends with the <see cref="WriteAndLeaveAsync"/> that must follow.</summary>
    public Task EnterAsync(CancellationToken cancellation) => _turn.WaitAsync(cancellation);

    /// <summary>Gives the turn up without writing.</summary>
    public void Leave() => _turn.Release();

    /// <summary>Writes one frame and gives the turn up. Never cancelled: half a frame would ruin all streams.</summary>
    public async Task WriteAndLeaveAsync(uint streamId, FrameType type, FrameFlags flags, IMessage message)
    {
        byte[]? rented = null;
        try
        {
            var length = message.CalculateSize();
            rented = ArrayPool<byte>.Shared.Rent(FrameHeader.Size + length);
            new FrameHeader((uint)length, streamId, type, flags).Write(rented);
            message.WriteTo(rented.AsSpan(FrameHeader.Size, length));
            await stream.WriteAsync(rented.AsMemory(0, FrameHeader.Size + length)).ConfigureAwait(false);
        }
        finally
        {
            Return(rented);
            _turn.Release();
        }
    }

    /// <summary>Waits for the turn and writes a message in one frame.</summary>
    /// <exception cref="TtrpcStatusException">ResourceExhausted: longer than a frame may be; nothing was written.</exception>
    public async Task WriteAsync(uint streamId, FrameType type, FrameFlags flags, IMessage message, CancellationToken cancellation)
    {
        CheckLength(message.CalculateSize());
        await EnterAsync(cancellation).ConfigureAwait(false);
        await WriteAndLeaveAsync(streamId, type, flags, message).ConfigureAwait(false);
    }

    /// <summary>Waits for the turn and writes a data frame.</summary>
    /// <exception cref="TtrpcStatusException">ResourceExhausted: longer than a frame may be; nothing was written.</exception>
    public async Task WriteDataAsync(uint streamId, FrameFlags flags, ReadOnlyMemory<byte> data, CancellationToken cancellation)
    {
        CheckLength(data.Length);
        await EnterAsync(cancellation).ConfigureAwait(false);
        byte[]? rented = null;
        try
        {
            rented = ArrayPool<byte>.Shared.Rent(FrameHeader.Size + data.Length);
            new FrameHeader((uint)data.Length, streamId, FrameType.Data, flags).Write(rented);
            data.CopyTo(rented.AsMemory(FrameHeader.Size));
            await stream.WriteAsync(rented.AsMemory(0, FrameHeader.Size + data.Length), CancellationToken.None).ConfigureAwait(false);
        }
        finally
        {
            Return(rented);
            _turn.Release();
        }
    }

    /// <summary>Refuses what no frame can carry.</summary>
    public static void CheckLength(int length)
    {
        if (length > FrameHeader.LengthMax)
        {
            throw TtrpcStatusException.TooLong((uint)length);
        }
    }

    /// <summary>Closes the byte stream; pending reads and writes fail.</summary>
    public void Dispose() => stream.Dispose();

    private static void Return(byte[]? rented)
    {
        if (rented is not null)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }
}
