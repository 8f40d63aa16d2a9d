// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using Containerd.Actors.Core.Content;
using Containerd.Services.Content.V1;
using Google.Protobuf;
using Grpc.Core;

namespace Containerd.Actors.Grpc.Content;

/// <summary>A request of <c>Content.Write</c> whose data lies in a rented buffer: uploads leave nothing for the garbage collector.</summary>
/// <remarks>
/// The generated message would get an array of its own for the data of every request. Dispose gives the buffer back, so it is only called
/// when nobody reads the data any more; a message that is never disposed is collected like any other.
/// </remarks>
public sealed class UploadMessage : IDisposable
{
    private byte[]? _rented;

    private UploadMessage(WriteContentRequest request, byte[]? rented, int length)
    {
        Request = request;
        _rented = rented;
        Data = rented.AsMemory(0, length);
    }

    /// <summary>All of the request but its data.</summary>
    public WriteContentRequest Request { get; }

    /// <summary>The data, valid until disposed.</summary>
    public ReadOnlyMemory<byte> Data { get; private set; }

    /// <summary>How requests are read from the wire.</summary>
    internal static Marshaller<UploadMessage> Marshaller { get; } = new(
        static (message, context) => throw new NotSupportedException("a daemon sends no uploads"),
        static context => Parse(context.PayloadAsReadOnlySequence()));

    /// <inheritdoc />
    public void Dispose()
    {
        byte[]? rented = Interlocked.Exchange(ref _rented, null);
        Data = default;
        if (rented is not null)
        {
            ContentBuffers.Return(rented);
        }
    }

    /// <summary>Reads a request; like the generated parser, the last of several values of a field counts.</summary>
    /// <exception cref="RpcException">The bytes are no request.</exception>
    internal static UploadMessage Parse(ReadOnlySequence<byte> message)
    {
        ReadOnlySequence<byte> data = default;
        ArrayBufferWriter<byte> others = new();
        SequenceReader<byte> reader = new(message);
        while (!reader.End)
        {
            SequencePosition start = reader.Position;
            ulong tag = Varint(ref reader);
            ulong length = (tag & 7) switch
            {
                0 => Varint(ref reader) & 0,
                1 => 8,
                2 => Varint(ref reader),
                5 => 4,
                _ => throw Malformed(),
            };
            if (length > (ulong)reader.Remaining)
            {
                throw Malformed();
            }

            if (tag == ((WriteContentRequest.DataFieldNumber << 3) | 2))
            {
                data = reader.UnreadSequence.Slice(0, (long)length);
                reader.Advance((long)length);
            }
            else
            {
                reader.Advance((long)length);
                foreach (ReadOnlyMemory<byte> part in message.Slice(start, reader.Position))
                {
                    others.Write(part.Span);
                }
            }
        }

        WriteContentRequest request;
        try
        {
            request = WriteContentRequest.Parser.ParseFrom(others.WrittenSpan);
        }
        catch (InvalidProtocolBufferException)
        {
            throw Malformed();
        }

        if (data.IsEmpty)
        {
            return new UploadMessage(request, null, 0);
        }

        byte[] rented = ContentBuffers.Rent((int)data.Length);
        data.CopyTo(rented);
        return new UploadMessage(request, rented, (int)data.Length);
    }

    // protobuf's encoding: seven bits a byte, lowest first, ten bytes at most.
    private static ulong Varint(ref SequenceReader<byte> reader)
    {
        ulong value = 0;
        for (int shift = 0; shift < 70; shift += 7)
        {
            if (!reader.TryRead(out byte next))
            {
                throw Malformed();
            }

            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }

        throw Malformed();
    }

    // The text of grpc-go.
    private static RpcException Malformed() => new(new global::Grpc.Core.Status(StatusCode.Internal, "grpc: error unmarshalling request: not a protobuf message"));
}
