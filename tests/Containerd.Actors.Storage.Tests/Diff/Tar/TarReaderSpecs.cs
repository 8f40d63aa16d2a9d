// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Storage.Diff.Tar;

namespace Containerd.Actors.Storage.Tests.Diff.Tar;

public sealed class TarReaderSpecs
{
    private static byte[] Valid => new TarBytes()
        .Pax("SCHILY.xattr.user.a", "value").File("pax", "content")
        .Header("././@LongLink", 'L', size: 120).Block(System.Text.Encoding.ASCII.GetBytes(new string('n', 119) + "\0"))
        .File("short", new string('c', 700))
        .Pax("GNU.sparse.map", "0,2,10,2").Pax("mtime", "12.5").Directory("d/").Link("l", '2', "target").Link("h", '1', "short")
        .Finish();

    [Fact]
    public void Archives_in_pieces_of_one_byte_are_read_as_in_one_piece()
    {
        Assert.Equal(Read(Valid, 1), Read(Valid, Valid.Length));
        Assert.Contains(new string('n', 119) + " Regular 700", Read(Valid, 1), StringComparison.Ordinal);
    }

    [Fact]
    public void An_archive_cut_at_any_block_is_refused_unless_it_ends_between_entries()
    {
        byte[] archive = new TarBytes().Pax("path", "long").File("a", new string('a', 600)).Finish();
        for (int length = 0; length < archive.Length; length += 512)
        {
            bool between = length is 0 or 2560 or 3072;
            Assert.Equal(between, Record.Exception(() => Read(archive[..length], 512)) is null);
        }

        Assert.Throws<RefusedException>(() => Read(archive[..100], 512));
    }

    [Fact]
    public void The_padding_of_the_last_entry_may_be_missing_but_none_of_its_bytes()
    {
        byte[] archive = new TarBytes().File("a", "ab").Unfinished();
        Assert.Contains("a Regular 2", Read(archive[..514], 512), StringComparison.Ordinal);
        Assert.Throws<RefusedException>(() => Read(archive[..513], 512));
    }

    [Theory]
    [InlineData("-0000000001\0")]
    [InlineData("99999999999\0")]
    [InlineData("\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff")]
    [InlineData("\u0080\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff")]
    public void Negative_huge_and_senseless_sizes_are_refused(string size)
    {
        byte[] archive = new TarBytes().Header("f", '0', sizeField: size).Finish();
        Assert.Throws<RefusedException>(() => Read(archive, 512));
    }

    [Fact]
    public void Extended_headers_are_bounded()
    {
        byte[] archive = new TarBytes().Header("x", 'x', size: 1L << 32).Finish();
        Assert.Contains("MaxHeaderSize", Assert.Throws<RefusedException>(() => Read(archive, 512)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_million_entries_meet_the_limit()
    {
        byte[] one = new TarBytes().Directory("d").Unfinished();
        TarReader reader = new(new Recorder(), new LayerLimits { MaxEntries = 1_000_000 });
        for (int i = 0; i < 1_000_000; i++)
        {
            reader.Feed(one);
        }

        Assert.Contains("MaxEntries = 1000000", Assert.Throws<RefusedException>(() => reader.Feed(one)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Mutated_archives_end_in_nothing_but_a_refusal()
    {
        Random random = new(20261123);
        byte[] valid = Valid;
        for (int round = 0; round < 30_000; round++)
        {
            byte[] mutated = (byte[])valid.Clone();
            for (int change = random.Next(1, 6); change > 0; change--)
            {
                mutated[random.Next(mutated.Length)] = (byte)random.Next(256);
            }

            // Half of them get valid checksums again, so that they come past the first check.
            for (int block = 0; round % 2 == 0 && block < mutated.Length; block += 512)
            {
                if (mutated.AsSpan(block + 257, 5).SequenceEqual("ustar"u8))
                {
                    TarBytes.Seal(mutated.AsSpan(block, 512));
                }
            }

            Exception? thrown = Record.Exception(() => Read(mutated[..random.Next(mutated.Length)], random.Next(1, 2000)));
            Assert.True(thrown is null or RefusedException, $"round {round}: {thrown}");
        }
    }

    private static string Read(byte[] bytes, int piece)
    {
        Recorder recorder = new();
        TarReader reader = new(recorder, LayerLimits.Default);
        for (int at = 0; at < bytes.Length; at += piece)
        {
            reader.Feed(bytes.AsSpan(at, Math.Min(piece, bytes.Length - at)));
        }

        reader.Complete();
        return string.Join('\n', recorder.Lines);
    }

    private sealed class Recorder : ITarSink
    {
        private long _bytes;
        private TarEntry? _entry;

        public List<string> Lines { get; } = [];

        public void Begin(TarEntry entry) => (_entry, _bytes) = (entry, 0);

        public void Content(long offset, ReadOnlySpan<byte> bytes) => _bytes += bytes.Length;

        public void End() => Lines.Add($"{_entry!.Name} {_entry.Kind} {_bytes} {_entry.LinkName} {_entry.ModifiedAt} {_entry.Attributes.Count}");
    }
}
