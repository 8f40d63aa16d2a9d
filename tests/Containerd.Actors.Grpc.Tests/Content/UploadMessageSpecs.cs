// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using Containerd.Actors.Grpc.Content;
using Containerd.Services.Content.V1;
using Google.Protobuf;
using Grpc.Core;

namespace Containerd.Actors.Grpc.Tests.Content;

public sealed class UploadMessageSpecs
{
    [Fact]
    public void A_request_is_read_as_the_generated_message_reads_it_however_its_bytes_lie()
    {
        Random random = new(1);
        for (int i = 0; i < 500; i++)
        {
            byte[] data = new byte[random.Next(5000)];
            random.NextBytes(data);
            WriteContentRequest request = new()
            {
                Action = (WriteAction)random.Next(5),
                Ref = $"layer-{random.Next()}",
                Total = random.NextInt64(long.MinValue, long.MaxValue),
                Offset = random.NextInt64(long.MinValue, long.MaxValue),
                Data = ByteString.CopyFrom(data),
                Labels = { [$"label{i}"] = "value" },
            };
            using UploadMessage message = UploadMessage.Parse(Pieces(request.ToByteArray(), random.Next(1, 900)));
            Assert.Equal(data, message.Data.ToArray());
            request.Data = ByteString.Empty;
            Assert.Equal(request, message.Request);
        }
    }

    [Fact]
    public void Of_several_data_fields_the_last_counts()
    {
        byte[] twice = [.. new WriteContentRequest { Data = ByteString.CopyFromUtf8("one") }.ToByteArray(), .. new WriteContentRequest { Data = ByteString.CopyFromUtf8("two") }.ToByteArray()];
        using UploadMessage message = UploadMessage.Parse(new ReadOnlySequence<byte>(twice));
        Assert.Equal("two"u8.ToArray(), message.Data.ToArray());
    }

    [Fact]
    public void Whatever_the_bytes_are_they_are_read_or_refused()
    {
        Random random = new(2);
        int refusals = 0;
        for (int i = 0; i < 20_000; i++)
        {
            byte[] bytes = new byte[random.Next(60)];
            random.NextBytes(bytes);
            try
            {
                UploadMessage.Parse(new ReadOnlySequence<byte>(bytes)).Dispose();
            }
            catch (RpcException refused)
            {
                Assert.Equal(StatusCode.Internal, refused.StatusCode);
                refusals++;
            }
        }

        Assert.InRange(refusals, 1, 19_999);
    }

    [Theory]
    [InlineData(new byte[] { 0x32 })]
    [InlineData(new byte[] { 0x32, 0x05, 1 })]
    [InlineData(new byte[] { 0x32, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01 })]
    [InlineData(new byte[] { 0x80 })]
    [InlineData(new byte[] { 0x0B, 0x0C })]
    public void Bytes_that_end_too_early_or_are_groups_are_refused(byte[] bytes) =>
        Assert.Throws<RpcException>(() => UploadMessage.Parse(new ReadOnlySequence<byte>(bytes)));

    private static ReadOnlySequence<byte> Pieces(byte[] bytes, int size)
    {
        Piece first = new(bytes.AsMemory(0, Math.Min(size, bytes.Length)), 0);
        Piece last = first;
        for (int at = size; at < bytes.Length; at += size)
        {
            last = last.Append(bytes.AsMemory(at, Math.Min(size, bytes.Length - at)));
        }

        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private sealed class Piece : ReadOnlySequenceSegment<byte>
    {
        public Piece(ReadOnlyMemory<byte> memory, long index) => (Memory, RunningIndex) = (memory, index);

        public Piece Append(ReadOnlyMemory<byte> memory)
        {
            Piece next = new(memory, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}
