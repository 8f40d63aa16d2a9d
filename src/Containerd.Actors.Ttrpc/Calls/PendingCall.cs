// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Ttrpc.Frames;
using Containerd.Ttrpc;
using Google.Protobuf;

namespace Containerd.Actors.Ttrpc.Calls;

/// <summary>A call of a client that waits for frames.</summary>
internal abstract class PendingCall
{
    /// <summary>The stream; set when the first frame is written.</summary>
    public uint StreamId { get; set; }

    /// <summary>Takes a frame of the stream; true if the stream has ended with it. Must not block.</summary>
    public abstract bool Take(FrameHeader header, ReadOnlySpan<byte> data);

    /// <summary>Ends the call with a failure, unless it has ended.</summary>
    public abstract void Fail(Exception failure);

    /// <summary>The payload of a response, or null after having failed the call with what the response says.</summary>
    protected ByteString? Payload(ReadOnlySpan<byte> data)
    {
        try
        {
            var response = Response.Parser.ParseFrom(data);
            if (response.Status is { Code: not 0 } status)
            {
                Fail(TtrpcStatusException.From(status));
                return null;
            }

            return response.Payload;
        }
        catch (InvalidProtocolBufferException wrong)
        {
            Fail(new TtrpcStatusException(TtrpcCode.Internal, $"ttrpc: error unmarshalling response: {wrong.Message}"));
            return null;
        }
    }
}

/// <summary>A call with one answer.</summary>
internal sealed class UnaryCall : PendingCall
{
    private readonly TaskCompletionSource<ByteString> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<ByteString> Answer => _answer.Task;

    public override bool Take(FrameHeader header, ReadOnlySpan<byte> data)
    {
        if (header.IsOversized)
        {
            Fail(TtrpcStatusException.TooLong(header.Length));
        }
        else if (header.Type == FrameType.Response)
        {
            if (Payload(data) is { } payload)
            {
                _answer.TrySetResult(payload);
            }
        }
        else if (header.Type == FrameType.Data)
        {
            Fail(new TtrpcStatusException(TtrpcCode.Internal, "ttrpc: protocol error: data in answer to a unary call"));
        }
        else
        {
            return false;
        }

        return true;
    }

    public override void Fail(Exception failure)
    {
        if (_answer.TrySetException(failure))
        {
            _ = _answer.Task.Exception; // Observed: a call that was abandoned has nobody who would.
        }
    }
}

/// <summary>A call on which messages arrive until the stream ends.</summary>
internal sealed class StreamCall : PendingCall
{
    public MessageQueue Queue { get; } = new();

    public override bool Take(FrameHeader header, ReadOnlySpan<byte> data)
    {
        if (header.IsOversized)
        {
            Fail(TtrpcStatusException.TooLong(header.Length));
            return true;
        }

        switch (header.Type)
        {
            case FrameType.Response:
                if (Payload(data) is { } payload && (payload.IsEmpty || Add(payload.ToByteArray())))
                {
                    Queue.Complete();
                }

                return true;
            case FrameType.Data:
                if (!header.Has(FrameFlags.NoData) && !Add(data.ToArray()))
                {
                    return true;
                }

                if (header.Has(FrameFlags.RemoteClosed))
                {
                    Queue.Complete();
                    return true;
                }

                return false;
            default:
                return false;
        }
    }

    public override void Fail(Exception failure) => Queue.Complete(failure);

    private bool Add(byte[] message)
    {
        if (Queue.TryAdd(message))
        {
            return true;
        }

        Fail(new TtrpcStatusException(TtrpcCode.ResourceExhausted, "ttrpc: stream buffer full"));
        return false;
    }
}
