// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Ttrpc.Frames;
using CsCheck;

namespace Containerd.Actors.Ttrpc.Tests.Frames;

public class FrameDecoderSpecs
{
    private static readonly Gen<(FrameHeader Header, byte[] Data)> AnyFrame =
        Gen.Select(Gen.UInt, Gen.Byte, Gen.Byte, Gen.Byte.Array[0, 9000], (id, type, flags, data) =>
            (new FrameHeader((uint)data.Length, id, (FrameType)type, (FrameFlags)flags), data));

    [Fact]
    public void Any_header_survives_the_wire() =>
        Gen.Select(Gen.UInt, Gen.UInt, Gen.Byte, Gen.Byte).Sample((length, id, type, flags) =>
        {
            var header = new FrameHeader(length, id, (FrameType)type, (FrameFlags)flags);
            var bytes = new byte[FrameHeader.Size];
            header.Write(bytes);
            Assert.Equal(header, FrameHeader.Read(bytes));
        });

    [Fact]
    public void A_header_is_big_endian()
    {
        var bytes = new byte[FrameHeader.Size];
        new FrameHeader(0x010203, 5, FrameType.Data, FrameFlags.RemoteClosed | FrameFlags.NoData).Write(bytes);
        Assert.Equal("00010203000000050305", Convert.ToHexString(bytes));
    }

    [Fact]
    public void Frames_arrive_whole_however_the_bytes_are_cut() =>
        Gen.Select(AnyFrame.Array[1, 8], Gen.Int[1, 5000].Array[1, 20]).Sample((frames, cuts) =>
        {
            var bytes = frames.SelectMany(frame => Encode(frame.Header, frame.Data)).ToArray();
            var seen = Decode(bytes, cuts);
            Assert.Equal(frames.Length, seen.Count);
            for (var i = 0; i < frames.Length; i++)
            {
                Assert.Equal(frames[i].Header, seen[i].Header);
                Assert.Equal(frames[i].Data, seen[i].Data);
            }
        }, iter: 200);

    [Fact]
    public void An_oversized_frame_is_told_and_skipped_and_the_next_one_read()
    {
        var tooLong = new FrameHeader(FrameHeader.LengthMax + 1, 1, FrameType.Request, FrameFlags.None);
        var next = new FrameHeader(3, 3, FrameType.Request, FrameFlags.None);
        var bytes = Encode(tooLong, new byte[FrameHeader.LengthMax + 1]).Concat(Encode(next, [1, 2, 3])).ToArray();
        var seen = Decode(bytes, [70_000]);
        Assert.Equal([tooLong, next], seen.Select(frame => frame.Header));
        Assert.Equal([1, 2, 3], seen[1].Data);
    }

    [Fact]
    public void The_largest_frame_is_read()
    {
        var largest = new FrameHeader(FrameHeader.LengthMax, 1, FrameType.Request, FrameFlags.None);
        Assert.Equal(FrameHeader.LengthMax, Assert.Single(Decode(Encode(largest, new byte[FrameHeader.LengthMax]), [65_536])).Data.Length);
    }

    [Fact]
    public void A_truncated_frame_is_not_handed_out()
    {
        var decoder = new FrameDecoder();
        var bytes = Encode(new FrameHeader(4, 1, FrameType.Data, FrameFlags.None), [1, 2, 3]);
        bytes.CopyTo(decoder.GetMemory());
        decoder.Advance(bytes.Length);
        Assert.False(decoder.TryRead(out _, out _));
        Assert.True(decoder.IsInsideFrame);
    }

    internal static byte[] Encode(FrameHeader header, byte[] data)
    {
        var bytes = new byte[FrameHeader.Size + data.Length];
        header.Write(bytes);
        data.CopyTo(bytes, FrameHeader.Size);
        return bytes;
    }

    private static List<(FrameHeader Header, byte[] Data)> Decode(byte[] bytes, int[] cuts)
    {
        var decoder = new FrameDecoder();
        var seen = new List<(FrameHeader, byte[])>();
        for (int at = 0, turn = 0; at < bytes.Length; turn++)
        {
            var room = decoder.GetMemory();
            var count = Math.Min(Math.Min(cuts[turn % cuts.Length], room.Length), bytes.Length - at);
            bytes.AsMemory(at, count).CopyTo(room);
            decoder.Advance(count);
            at += count;
            while (decoder.TryRead(out var header, out var data))
            {
                seen.Add((header, data.ToArray()));
            }
        }

        Assert.False(decoder.IsInsideFrame);
        return seen;
    }
}
