// SPDX-License-Identifier: Apache-2.0

using System.Threading.Channels;

namespace Containerd.Actors.Ttrpc.Calls;

/// <summary>Messages of one stream that wait for their consumer, bounded in number and bytes.</summary>
/// <remarks>A full queue refuses at once: the read loop serves all streams and must not wait for one of them.</remarks>
internal sealed class MessageQueue
{
    /// <summary>Messages that may wait.</summary>
    public const int MessagesMax = 4096;

    /// <summary>Bytes that may wait.</summary>
    public const int BytesMax = 16 * 1024 * 1024;

    private readonly Channel<byte[]> _messages = Channel.CreateUnbounded<byte[]>(
        new UnboundedChannelOptions { SingleWriter = true, SingleReader = false, AllowSynchronousContinuations = false });

    private long _count;
    private long _bytes;

    /// <summary>Adds a message; false if the queue is full.</summary>
    public bool TryAdd(byte[] message)
    {
        if (Interlocked.Read(ref _count) >= MessagesMax || Interlocked.Read(ref _bytes) + message.Length > BytesMax)
        {
            return false;
        }

        Interlocked.Increment(ref _count);
        Interlocked.Add(ref _bytes, message.Length);
        _messages.Writer.TryWrite(message);
        return true;
    }

    /// <summary>No message follows; with a failure the consumer sees it after the waiting messages.</summary>
    public void Complete(Exception? failure = null) => _messages.Writer.TryComplete(failure);

    /// <summary>The next message, or null at the end.</summary>
    public async ValueTask<byte[]?> TakeAsync(CancellationToken cancellation)
    {
        while (await _messages.Reader.WaitToReadAsync(cancellation).ConfigureAwait(false))
        {
            if (_messages.Reader.TryRead(out var message))
            {
                Interlocked.Decrement(ref _count);
                Interlocked.Add(ref _bytes, -message.Length);
                return message;
            }
        }

        return null;
    }
}
