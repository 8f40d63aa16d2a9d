// SPDX-License-Identifier: Apache-2.0

using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Storage.Archives;
using Containerd.Actors.Storage.Diff.Tar;
using ZstdSharp;
using TarEntry = Containerd.Actors.Storage.Diff.Tar.TarEntry;
using TarWriter = System.Formats.Tar.TarWriter;

namespace Containerd.Actors.Storage.Tests.Archives;

public sealed class ArchiveSpecs
{
    private static readonly byte[] Blob = RandomNumberGenerator.GetBytes(700_000);
    private static readonly Descriptor Descriptor = new("blob", Digest.Of(Blob), Blob.Length);

    [Fact]
    public async Task What_is_written_is_read_back_and_the_system_reads_it_too()
    {
        byte[] archive = await WriteAsync();

        Assert.Equal(
            ["blobs/ Directory 0", $"blobs/sha256/{Descriptor.Digest.Hex} Regular {Blob.Length}", "index.json Regular 2"],
            (await ReadAsync(new MemoryStream(archive))).Select(read => $"{read.Entry.Name} {read.Entry.Kind} {read.Bytes.Length}"));
        await using var reader = new System.Formats.Tar.TarReader(new MemoryStream(archive));
        while (await reader.GetNextEntryAsync() is { } entry)
        {
            Assert.Equal((DateTimeOffset.UnixEpoch, 0, 0), (entry.ModificationTime, entry.Uid, entry.Gid));
        }
    }

    [Fact]
    public async Task The_same_entries_make_the_same_bytes() => Assert.Equal(await WriteAsync(), await WriteAsync());

    [Theory]
    [InlineData("none")]
    [InlineData("gzip")]
    [InlineData("zstd")]
    public async Task Compressed_archives_are_known_by_their_first_bytes(string compression)
    {
        byte[] archive = await WriteAsync();
        var target = new MemoryStream();
        await using (Stream compressed = Compress(target, compression))
        {
            await compressed.WriteAsync(archive);
        }

        Assert.Equal(Blob, (await ReadAsync(new MemoryStream(target.ToArray()))).Single(read => read.Bytes.Length > 100).Bytes);
    }

    [Fact]
    public async Task Entries_are_passed_over_and_read_in_small_pieces()
    {
        await using ArchiveReader reader = await ArchiveReader.OpenAsync(
            new MemoryStream(await WriteAsync()), sniffs: true, LayerLimits.Default, CancellationToken.None);
        await reader.NextAsync(CancellationToken.None);
        await reader.NextAsync(CancellationToken.None);
        var piece = new byte[1000];
        Assert.Equal(1000, await reader.ReadAsync(piece, CancellationToken.None));
        Assert.Equal(Blob[..1000], piece);
        Assert.Equal("index.json", (await reader.NextAsync(CancellationToken.None))!.Name);
        Assert.Null(await reader.NextAsync(CancellationToken.None));
        Assert.Null(await reader.NextAsync(CancellationToken.None));
    }

    [Fact]
    public async Task Another_number_of_bytes_or_others_than_the_digest_are_refused()
    {
        var archive = new ArchiveWriter(new MemoryStream());
        await RefusedAsync("unexpected copy size", () => archive.BlobAsync(Descriptor, new MemoryStream(Blob[1..]), new byte[4096], CancellationToken.None));
        await RefusedAsync("unexpected copy size", () => archive.BlobAsync(Descriptor, new MemoryStream([.. Blob, 1]), new byte[4096], CancellationToken.None));
        byte[] other = [.. Blob];
        other[5]++;
        await RefusedAsync("unexpected digest", () => archive.BlobAsync(Descriptor, new MemoryStream(other), new byte[4096], CancellationToken.None));
    }

    [Fact]
    public async Task Damaged_and_hostile_archives_are_refused()
    {
        byte[] archive = await WriteAsync();
        await RefusedAsync("unexpected end", () => ReadAsync(new MemoryStream(archive[..2000])));
        await RefusedAsync("invalid tar archive", () => ReadAsync(new MemoryStream(Encoding.ASCII.GetBytes(new string('x', 2048)))));
        await RefusedAsync("decompression failed", () => ReadAsync(new MemoryStream([0x1F, 0x8B, 0x08, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9])));
        await RefusedAsync("MaxEntries = 2", () => ReadAsync(new MemoryStream(archive), LayerLimits.Default with { MaxEntries = 2 }));
        await RefusedAsync("MaxSize = 4096", () => ReadAsync(new MemoryStream(archive), LayerLimits.Default with { MaxSize = 4096 }));
    }

    [Fact]
    public async Task A_bomb_is_refused_before_it_is_whole()
    {
        using var bomb = new MemoryStream();
        using (var gzip = new GZipStream(bomb, CompressionLevel.Optimal, leaveOpen: true))
        using (var tar = new TarWriter(gzip, TarEntryFormat.Pax, leaveOpen: true))
        {
            tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, "zeros") { DataStream = new MemoryStream(new byte[4 << 20]) });
        }

        bomb.Position = 0;
        await RefusedAsync("MaxRatio = 10", () => ReadAsync(bomb, LayerLimits.Default with { RatioGrace = 1 << 20, MaxRatio = 10 }));
    }

    private static async Task<byte[]> WriteAsync()
    {
        using var target = new MemoryStream();
        var archive = new ArchiveWriter(target);
        await archive.DirectoryAsync("blobs/", CancellationToken.None);
        await archive.BlobAsync(Descriptor, new MemoryStream(Blob), new byte[4096], CancellationToken.None);
        await archive.FileAsync("index.json", 0x1A4, "{}"u8.ToArray(), CancellationToken.None);
        await archive.FinishAsync(CancellationToken.None);
        return target.ToArray();
    }

    private static async Task<List<(TarEntry Entry, byte[] Bytes)>> ReadAsync(Stream archive, LayerLimits? limits = null)
    {
        var all = new List<(TarEntry, byte[])>();
        await using ArchiveReader reader = await ArchiveReader.OpenAsync(archive, sniffs: true, limits ?? LayerLimits.Default, CancellationToken.None);
        while (await reader.NextAsync(CancellationToken.None) is { } entry)
        {
            all.Add((entry, await reader.ReadAllAsync(entry, int.MaxValue, CancellationToken.None)));
        }

        return all;
    }

    private static Stream Compress(Stream target, string compression) => compression switch
    {
        "gzip" => new GZipStream(target, CompressionLevel.Fastest, leaveOpen: true),
        "zstd" => new CompressionStream(target, leaveOpen: true),
        _ => new BufferedStream(target),
    };

    private static async Task RefusedAsync(string text, Func<Task> act) =>
        Assert.Contains(text, (await Assert.ThrowsAsync<RefusedException>(act)).Message, StringComparison.Ordinal);
}
