// SPDX-License-Identifier: Apache-2.0

using System.IO.Compression;
using System.Text;
using Containerd.Actors.Storage.Content;
using Containerd.Actors.Storage.Diff;
using ZstdSharp;
using ZstdSharp.Unsafe;

namespace Containerd.Actors.Storage.Tests.Diff;

/// <summary>One contract for all that decompresses layers: the libraries of the host and what stands in for them.</summary>
public sealed class DecompressionSpecs
{
    public static TheoryData<LayerCompression, bool> All => new()
    {
        { LayerCompression.Gzip, false },
        { LayerCompression.Gzip, true },
        { LayerCompression.Zstandard, false },
        { LayerCompression.Zstandard, true },
    };

    [SkippableTheory]
    [MemberData(nameof(All))]
    public void Bytes_of_any_size_kind_and_level_come_back(LayerCompression compression, bool isHost)
    {
        SkipWithout(compression, isHost);
        int[] sizes = [0, 1, 2, 100, 4095, 32 * 1024, 65_537, (256 * 1024) - 1, 256 * 1024, (256 * 1024) + 1, 3_000_000];
        foreach (int size in sizes)
        {
            foreach (byte[] plain in (byte[][])[Noise(size), Words(size), new byte[size]])
            {
                for (int level = 0; level < 4; level++)
                {
                    byte[] compressed = Compress(plain, compression, level);
                    Assert.True(plain.AsSpan().SequenceEqual(Read(new MemoryStream(compressed), compression, isHost)), $"{size} bytes, level {level}");
                }
            }
        }
    }

    [SkippableTheory]
    [MemberData(nameof(All))]
    public void Members_follow_one_another_wherever_one_ends(LayerCompression compression, bool isHost)
    {
        SkipWithout(compression, isHost);
        byte[][] parts = [.. Enumerable.Range(0, 60).Select(i => Words(i * 37))];
        byte[] plain = [.. parts.SelectMany(part => part)];
        byte[] compressed = [.. parts.SelectMany((part, i) => Compress(part, compression, i % 4))];

        for (int piece = 1; piece < 80; piece++)
        {
            Assert.Equal(plain, Read(new Pieces(compressed, piece), compression, isHost));
        }

        // A part that ends where a buffer of any size that is used ends.
        byte[] first = Compress(Noise(300_000), compression, 1);
        byte[] second = Compress(Words(1000), compression, 1);
        Assert.Equal([.. Noise(300_000), .. Words(1000)], Read(new Pieces([.. first, .. second], first.Length), compression, isHost));
    }

    [SkippableTheory]
    [MemberData(nameof(All))]
    public void Readers_may_take_as_little_as_a_byte_at_a_time(LayerCompression compression, bool isHost)
    {
        SkipWithout(compression, isHost);
        byte[] plain = [.. Words(5000), .. new byte[5000], .. Noise(5000)];
        byte[] compressed = [.. Compress(plain, compression, 2), .. Compress(plain, compression, 2)];
        foreach (int take in (int[])[1, 2, 7, 258, 4096])
        {
            Assert.Equal([.. plain, .. plain], Read(new MemoryStream(compressed), compression, isHost, take));
            Assert.Equal([.. plain, .. plain], Read(new Pieces(compressed, 1), compression, isHost, take));
        }
    }

    [SkippableTheory]
    [MemberData(nameof(All))]
    public async Task Bytes_that_are_yet_to_come_are_awaited(LayerCompression compression, bool isHost)
    {
        SkipWithout(compression, isHost);
        byte[] plain = Words(700_000);
        Later source = new();
        await using Stream stream = Open(source, compression, isHost);
        using MemoryStream found = new();
        Task reading = stream.CopyToAsync(found);
        Assert.False(reading.IsCompleted);

        foreach (byte[] piece in Compress(plain, compression, 1).Chunk(50_000))
        {
            await source.GiveAsync(piece);
        }

        await source.GiveAsync([]);
        await reading;
        Assert.Equal(plain, found.ToArray());
    }

    [SkippableTheory]
    [MemberData(nameof(All))]
    public void What_ends_too_early_is_refused_wherever_that_is(LayerCompression compression, bool isHost)
    {
        SkipWithout(compression, isHost);
        byte[] whole = Compress(Words(400), compression, 2);
        for (int length = 1; length < whole.Length; length++)
        {
            AssertRefused(whole[..length], compression, isHost);
            AssertRefused([.. whole, .. whole[..length]], compression, isHost);
        }
    }

    [SkippableTheory]
    [MemberData(nameof(All))]
    public void No_bit_that_is_wrong_makes_wrong_bytes(LayerCompression compression, bool isHost)
    {
        SkipWithout(compression, isHost);
        byte[] plain = Words(400);
        byte[] whole = Compress(plain, compression, 2);
        int refused = 0;
        for (int bit = 0; bit < whole.Length * 8; bit++)
        {
            byte[] damaged = [.. whole];
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            foreach (int piece in (int[])[1, damaged.Length])
            {
                Exception? failure = Record.Exception(
                    () => Assert.True(plain.AsSpan().SequenceEqual(Read(new Pieces(damaged, piece), compression, isHost)), $"bit {bit}"));
                Assert.True(failure is null || IsRefusal(failure), $"bit {bit}: {failure}");
                refused += failure is null ? 0 : 1;
            }
        }

        // What remains are fields of the header that mean nothing for the bytes, such as a time.
        Assert.InRange(refused, whole.Length * 8 * 2 * 3 / 4, whole.Length * 8 * 2);
    }

    [SkippableTheory]
    [MemberData(nameof(All))]
    public void Noise_is_refused_and_ends(LayerCompression compression, bool isHost)
    {
        SkipWithout(compression, isHost);
        byte[] whole = Compress(Words(20_000), compression, 2);
        Random random = new(7);
        for (int round = 0; round < 300; round++)
        {
            byte[] damaged = [.. whole];
            random.NextBytes(damaged.AsSpan(random.Next(10, damaged.Length - 12), 12));
            AssertRefused(damaged, compression, isHost);
        }
    }

    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void Bytes_behind_the_last_member_of_gzip_are_passed_over_unless_they_begin_another(bool isHost)
    {
        SkipWithout(LayerCompression.Gzip, isHost);
        byte[] plain = Words(1000);
        byte[] whole = Compress(plain, LayerCompression.Gzip, 2);
        foreach (byte[] behind in (byte[][])[[7], new byte[512], [0x1F, 0], [0x8B, 0x1F], "garbage behind"u8.ToArray()])
        {
            Assert.Equal(plain, Read(new MemoryStream([.. whole, .. behind]), LayerCompression.Gzip, isHost));
        }

        foreach (byte[] behind in (byte[][])[[0x1F], [0x1F, 0x8B], [0x1F, 0x8B, 8], [0x1F, 0x8B, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]])
        {
            AssertRefused([.. whole, .. behind], LayerCompression.Gzip, isHost);
        }
    }

    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void Bytes_behind_the_last_frame_of_zstd_are_refused_and_skippable_frames_skipped(bool isHost)
    {
        SkipWithout(LayerCompression.Zstandard, isHost);
        byte[] plain = Words(1000);
        byte[] whole = Compress(plain, LayerCompression.Zstandard, 2);
        byte[] skippable = [0x50, 0x2A, 0x4D, 0x18, 3, 0, 0, 0, 1, 2, 3];
        foreach (int piece in (int[])[1, 5, 1000])
        {
            Assert.Equal(
                [.. plain, .. plain],
                Read(new Pieces([.. skippable, .. whole, .. skippable, .. whole, .. skippable], piece), LayerCompression.Zstandard, isHost));
        }

        foreach (byte[] behind in (byte[][])[[7], new byte[512], [0x28, 0xB5, 0x2F], "garbage behind"u8.ToArray()])
        {
            AssertRefused([.. whole, .. behind], LayerCompression.Zstandard, isHost);
        }
    }

    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_frame_that_wants_a_window_of_more_than_128_MiB_is_refused(bool isHost)
    {
        SkipWithout(LayerCompression.Zstandard, isHost);
        Assert.Empty(Read(new MemoryStream(EmptyFrame(windowLog: 27)), LayerCompression.Zstandard, isHost));
        AssertRefused(EmptyFrame(windowLog: 28), LayerCompression.Zstandard, isHost);
        AssertRefused(EmptyFrame(windowLog: 31), LayerCompression.Zstandard, isHost);
    }

    [SkippableTheory]
    [MemberData(nameof(All))]
    public void Nothing_is_the_compressed_form_of_nothing(LayerCompression compression, bool isHost)
    {
        SkipWithout(compression, isHost);
        Assert.Empty(Read(new MemoryStream(), compression, isHost));
    }

    [SkippableTheory]
    [MemberData(nameof(All))]
    public void The_source_stays_open_and_the_stream_closes(LayerCompression compression, bool isHost)
    {
        SkipWithout(compression, isHost);
        using MemoryStream source = new(Compress(Words(100), compression, 2));
        Stream stream = Open(source, compression, isHost);
        stream.Dispose();
        stream.Dispose();
        Assert.True(source.CanRead);
        Assert.ThrowsAny<Exception>(() => stream.ReadByte());
    }

    [SkippableTheory]
    [MemberData(nameof(All))]
    public void What_is_closed_gives_its_memory_back(LayerCompression compression, bool isHost)
    {
        const int streams = 20_000;
        const long bytesMax = 200L << 20;
        SkipWithout(compression, isHost);
        byte[] whole = Compress(Words(2000), compression, 2);
        byte[] buffer = new byte[1000];
        long before = Environment.WorkingSet;
        for (int i = 0; i < streams; i++)
        {
            using Stream stream = Open(new MemoryStream(whole), compression, isHost);
            Assert.NotEqual(0, stream.Read(buffer));
        }

        Assert.InRange(Environment.WorkingSet - before, long.MinValue, bytesMax);
    }

    [Fact]
    public void Libraries_of_the_host_are_used_where_they_are_and_not_when_they_are_switched_off()
    {
        foreach (LayerCompression compression in (LayerCompression[])[LayerCompression.Gzip, LayerCompression.Zstandard])
        {
            using Stream? host = LayerCompressions.TryDecompressByHost(Stream.Null, compression, out _);
            using Stream preferred = LayerCompressions.Decompress(Stream.Null, compression);
            Assert.Equal(host is not null, preferred is HostDecompression);
            try
            {
                LayerCompressions.UsesHostLibraries = false;
                using Stream own = LayerCompressions.Decompress(Stream.Null, compression);
                Assert.IsNotType<HostDecompression>(own);
            }
            finally
            {
                LayerCompressions.UsesHostLibraries = true;
            }
        }
    }

    [SkippableTheory]
    [InlineData("isize", 4)]
    [InlineData("crc", 8)]
    public void A_wrong_trailer_of_gzip_is_a_wrong_checksum_in_containerds_words(string field, int fromEnd)
    {
        SkipWithout(LayerCompression.Gzip, isHost: true);
        byte[] whole = Compress(Words(100), LayerCompression.Gzip, 2);
        whole[^fromEnd] ^= 1;
        InvalidDataException failure = Assert.Throws<InvalidDataException>(() => Read(new MemoryStream(whole), LayerCompression.Gzip, isHost: true));
        Assert.True(failure.Message == "gzip: invalid checksum", field);
    }

    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void Headers_of_gzip_may_have_names_comments_fields_and_a_checksum(bool isHost)
    {
        SkipWithout(LayerCompression.Gzip, isHost);
        byte[] plain = Words(1000);
        byte[] whole = Compress(plain, LayerCompression.Gzip, 2);
        byte[] header = [.. whole[..3], 0x1E, .. whole[4..10], 5, 0, 1, 2, 3, 4, 5, .. "name\0"u8, .. "a comment\0"u8];

        // The checksum of a header is the lower half of that which a member has of its bytes.
        byte[] named = [.. header, .. Compress(header, LayerCompression.Gzip, 0)[^8..^6], .. whole[10..]];
        foreach (int piece in (int[])[1, 3, 1000])
        {
            Assert.Equal([.. plain, .. plain], Read(new Pieces([.. named, .. named], piece), LayerCompression.Gzip, isHost));
        }

        named[header.Length] ^= 1;
        AssertRefused(named, LayerCompression.Gzip, isHost);
    }

    private static void SkipWithout(LayerCompression compression, bool isHost)
    {
        if (isHost)
        {
            using Stream? stream = LayerCompressions.TryDecompressByHost(Stream.Null, compression, out string reason);
            Skip.If(stream is null, reason);
        }
    }

    private static Stream Open(Stream source, LayerCompression compression, bool isHost) => isHost
        ? LayerCompressions.TryDecompressByHost(source, compression, out _)!
        : LayerCompressions.DecompressManaged(source, compression);

    private static byte[] Read(Stream source, LayerCompression compression, bool isHost, int take = 256 * 1024)
    {
        using Stream stream = Open(source, compression, isHost);
        using MemoryStream found = new();
        byte[] buffer = new byte[take];
        for (int count; (count = stream.Read(buffer)) > 0;)
        {
            found.Write(buffer, 0, count);
        }

        Assert.Equal(0, stream.Read(buffer));
        return found.ToArray();
    }

    private static void AssertRefused(byte[] bytes, LayerCompression compression, bool isHost)
    {
        foreach (int piece in (int[])[1, Math.Max(1, bytes.Length)])
        {
            Exception? failure = Record.Exception(() => Read(new Pieces(bytes, piece), compression, isHost));
            Assert.True(failure is not null && IsRefusal(failure), $"{Convert.ToHexString(bytes.AsSpan(0, Math.Min(64, bytes.Length)))}: {failure}");
        }
    }

    // What the extraction of layers and archives tells as "decompression failed".
    private static bool IsRefusal(Exception failure) => failure is InvalidDataException or EndOfStreamException or ZstdException;

    private static byte[] Compress(byte[] plain, LayerCompression compression, int level)
    {
        using MemoryStream target = new();
        if (compression == LayerCompression.Gzip)
        {
            CompressionLevel[] kinds = [CompressionLevel.NoCompression, CompressionLevel.Fastest, CompressionLevel.Optimal, CompressionLevel.SmallestSize];
            if (plain.Length == 0)
            {
                // .NET writes nothing for nothing; every other program writes a member.
                return Convert.FromHexString("1F8B080000000000000303000000000000000000");
            }

            using GZipStream gzip = new(target, kinds[level], leaveOpen: true);
            gzip.Write(plain);
        }
        else
        {
            int[] levels = [-5, 1, 3, 9];
            using CompressionStream zstd = new(target, levels[level], leaveOpen: true);
            zstd.SetParameter(ZSTD_cParameter.ZSTD_c_checksumFlag, 1);
            zstd.Write(plain);
        }

        return target.ToArray();
    }

    // A header without checksum and size, and one empty block, the last.
    private static byte[] EmptyFrame(int windowLog) => [0x28, 0xB5, 0x2F, 0xFD, 0, (byte)((windowLog - 10) << 3), 1, 0, 0];

    private static byte[] Noise(int size)
    {
        byte[] bytes = new byte[size];
        new Random(size).NextBytes(bytes);
        return bytes;
    }

    private static byte[] Words(int size)
    {
        StringBuilder text = new();
        for (Random random = new(size); text.Length < size;)
        {
            text.Append("usr share doc lib python etc bin var".Split(' ')[random.Next(8)]).Append(random.Next(100));
        }

        return Encoding.ASCII.GetBytes(text.ToString(0, size));
    }

    // Gives at most so many bytes at a time.
    private sealed class Pieces(byte[] bytes, int size) : ReadStream
    {
        private int _position;

        public override int Read(Span<byte> buffer)
        {
            int count = Math.Min(Math.Min(size, buffer.Length), bytes.Length - _position);
            bytes.AsSpan(_position, count).CopyTo(buffer);
            _position += count;
            return count;
        }
    }

    // Gives what it is given, when it is given it; nothing is the end.
    private sealed class Later : ReadStream
    {
        private readonly System.IO.Pipelines.Pipe _pipe = new(new System.IO.Pipelines.PipeOptions(pauseWriterThreshold: 0));
        private Stream? _reader;

        public Task GiveAsync(byte[] bytes) =>
            bytes.Length == 0 ? _pipe.Writer.CompleteAsync().AsTask() : _pipe.Writer.WriteAsync(bytes).AsTask();

        public override int Read(Span<byte> buffer) => throw new NotSupportedException("a thread would wait");

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            (_reader ??= _pipe.Reader.AsStream()).ReadAsync(buffer, cancellationToken);

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }
}
