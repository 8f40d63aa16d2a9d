// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Fuzzing;
using Containerd.Actors.Ttrpc.Frames;
using Containerd.Ttrpc;
using Google.Protobuf;

namespace Containerd.Actors.Ttrpc.Tests.Frames;

/// <summary>Whatever bytes a peer sends, the decoder cuts frames out of them, and the server serves its other peers.</summary>
public sealed class FrameFuzzSpecs
{
    private static readonly byte[][] Conversations =
    [
        Frame(1, FrameType.Request, new Request { Service = "test.Echo", Method = "Echo", Payload = ByteString.CopyFromUtf8("hello"), TimeoutNano = 1_000_000 }),
        [
            .. Frame(1, FrameType.Request, new Request { Service = "test.Echo", Method = "Stream" }, FrameFlags.RemoteOpen),
            .. Frame(1, FrameType.Data, new Request { Service = "x" }),
            .. Frame(1, FrameType.Data, new Request(), FrameFlags.RemoteClosed | FrameFlags.NoData),
            .. Frame(3, FrameType.Request, new Request { Service = "none", Method = "None", Metadata = { new KeyValue { Key = "k", Value = "v" } } }),
        ],
        Frame(7, FrameType.Response, new Response { Payload = ByteString.CopyFromUtf8("x") }),
        new byte[FrameHeader.Size * 3],
    ];

    [Fact]
    public Task Frames_hold_what_was_sent_and_no_more() => Fuzz.RunAsync(20_000, [], random =>
    {
        byte[] bytes = Fuzz.Bytes(random, Conversations);
        var decoder = new FrameDecoder();
        long delivered = 0;
        for (int at = 0; at < bytes.Length;)
        {
            Memory<byte> room = decoder.GetMemory();
            int count = Math.Min(random.Next(1, 2000), Math.Min(room.Length, bytes.Length - at));
            bytes.AsMemory(at, count).CopyTo(room);
            decoder.Advance(count);
            at += count;
            while (decoder.TryRead(out FrameHeader header, out ReadOnlyMemory<byte> data))
            {
                Assert.True(header.IsOversized ? data.IsEmpty : data.Length == header.Length, $"{header}: {data.Length} bytes");
                delivered += FrameHeader.Size + data.Length;
            }
        }

        Assert.True(delivered <= bytes.Length);
        Assert.True(decoder.GetMemory().Length <= FrameHeader.LengthMax + FrameHeader.Size);
    });

    [Fact]
    public async Task A_peer_that_sends_anything_disturbs_no_other()
    {
        await using var server = new TtrpcServer(new TtrpcHandlers()
            .Add("test.Echo", "Echo", (_, payload) => Task.FromResult(payload))
            .AddStream("test.Echo", "Stream", async (call, stream) =>
            {
                while (await stream.ReceiveAsync(call.Cancellation) is { } message)
                {
                    await stream.SendAsync(message, call.Cancellation);
                }
            }));
        (Stream honest, Stream served) = await SocketPair.MakeAsync();
        _ = server.ServeAsync(served);
        using var honestChannel = new FrameChannel(honest);
        uint stream = 1;
        await Fuzz.RunAsync(300, [], random =>
        {
            (Stream hostile, Stream hostileServed) = SocketPair.MakeAsync().GetAwaiter().GetResult();
            using (hostile)
            {
                Task serving = server.ServeAsync(hostileServed);
                try
                {
                    hostile.Write(Fuzz.Bytes(random, Conversations));
                }
                catch (IOException)
                {
                    // The server has had enough of it.
                }

                hostile.Dispose();
                Assert.True(serving.Wait(TimeSpan.FromSeconds(30)), "the server holds on to a peer that is gone");
            }

            EchoAsync(stream).GetAwaiter().GetResult();
            stream += 2;
        });

        async Task EchoAsync(uint id)
        {
            var request = new Request { Service = "test.Echo", Method = "Echo", Payload = ByteString.CopyFromUtf8($"{id}") };
            await honestChannel.WriteAsync(id, FrameType.Request, FrameFlags.RemoteClosed, request, CancellationToken.None);
            byte[] header = new byte[FrameHeader.Size];
            await honest.ReadExactlyAsync(header);
            FrameHeader read = FrameHeader.Read(header);
            byte[] data = new byte[read.Length];
            await honest.ReadExactlyAsync(data);
            Assert.Equal((id, $"{id}"), (read.StreamId, Response.Parser.ParseFrom(data).Payload.ToStringUtf8()));
        }
    }

    private static byte[] Frame(uint stream, FrameType type, IMessage message, FrameFlags flags = FrameFlags.None)
    {
        byte[] data = message.ToByteArray();
        byte[] frame = new byte[FrameHeader.Size + data.Length];
        new FrameHeader((uint)data.Length, stream, type, flags).Write(frame);
        data.CopyTo(frame, FrameHeader.Size);
        return frame;
    }
}
