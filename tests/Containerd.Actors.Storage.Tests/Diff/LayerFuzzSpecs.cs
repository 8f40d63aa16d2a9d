// SPDX-License-Identifier: Apache-2.0

using System.IO.Compression;
using Containerd.Actors.Fuzzing;
using Containerd.Actors.Linux.Files;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Storage.Diff;
using Containerd.Actors.Storage.Diff.Tar;

namespace Containerd.Actors.Storage.Tests.Diff;

/// <summary>Whatever an archive holds, it is extracted or refused, and nothing outside of the root is touched.</summary>
public sealed class LayerFuzzSpecs : IDisposable
{
    private const string Plain = "application/vnd.oci.image.layer.v1.tar";

    // Small enough that a made-up size does not fill the disk.
    private static readonly LayerLimits Limits = new() { MaxSize = 1 << 22, MaxEntries = 500 };

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public Task An_archive_is_read_or_refused_however_it_is_cut() => Fuzz.RunAsync(6_000, [], random =>
    {
        byte[] archive = Sealed(random, Fuzz.Bytes(random, Archives()));
        var sink = new Discarding();
        var reader = new TarReader(sink, Limits);
        try
        {
            for (int at = 0; at < archive.Length;)
            {
                int count = Math.Min(random.Next(1, 3000), archive.Length - at);
                reader.Feed(archive.AsSpan(at, count));
                at += count;
            }

            reader.Complete();
        }
        catch (RefusedException)
        {
            return;
        }

        Assert.True(sink.Bytes <= archive.Length, $"{sink.Bytes} bytes of content came out of {archive.Length}");
    });

    [SkippableFact]
    public async Task A_layer_never_touches_what_lies_outside_of_its_root()
    {
        Skip.IfNot(TemporaryDirectory.IsRoot);
        string outside = _directory.Make("outside");
        await File.WriteAllTextAsync(Path.Combine(outside, "secret"), "untouched");
        Directory.CreateDirectory(Path.Combine(outside, "inner"));
        string before = TreeListing.Of(outside);
        string target = _directory["target"];
        await Fuzz.RunAsync(1_500, [], random =>
        {
            byte[] archive = Sealed(random, Fuzz.Bytes(random, Archives()));
            string mediaType = Plain;
            if (random.Next(8) == 0)
            {
                (archive, mediaType) = (Fuzz.Bytes(random, [Gzip(archive)]), Plain + "+gzip");
            }

            Directory.CreateDirectory(target);
            try
            {
                using MemoryStream layer = new(archive);
                ApplyTarget to = random.Next(2) == 0 ? ApplyTarget.Plain(target) : new ApplyTarget(target, [], "trusted.");
                LayerApplier.Apply(layer, mediaType, to, Limits);
            }
            catch (RefusedException refused)
            {
                Assert.NotEmpty(refused.Error.Text);
            }
            finally
            {
                using DirectoryHandle parent = DirectoryHandle.Open(_directory.Path);
                Assert.Equal(["outside", "target"], parent.List().Order(StringComparer.Ordinal));
                parent.RemoveTree("target");
            }

            Assert.Equal(before, TreeListing.Of(outside));
        });
    }

    // Every kind of entry, and ways out of the root as they were tried on others.
    private byte[][] Archives()
    {
        string outside = _directory["outside"];
        return
        [
            new TarBytes().Directory("d/").File("d/f", "content").Link("d/s", '2', "f").Link("d/h", '1', "d/f").File("d/.wh.gone", "").Finish(),
            new TarBytes().Link("out", '2', outside).File("out/secret", "overwritten").File("out/new", "x").Directory("out/inner/").Finish(),
            new TarBytes().Link("up", '2', "../outside").File("up/secret", "overwritten").Link("hard", '1', "up/secret").File("hard", "x").Finish(),
            new TarBytes().Directory("a/").Link("a/b", '2', "../../outside").File("a/b/../secret", "x").Link("a/c", '1', "../../outside/secret").Finish(),
            new TarBytes().Link("w", '2', outside).File("w/.wh.secret", "").File("w/.wh..wh..opq", "").File(".wh...", "").File(".wh.", "").Finish(),
            new TarBytes().File("../outside/secret", "x").File("/" + outside + "/secret", "x").File("./../../x", "x").Finish(),
            new TarBytes().Pax("path", outside + "/secret").File("p", "x").Pax("linkpath", outside).Link("l", '2', "x").File("l/new", "x").Finish(),
            new TarBytes().Pax("GNU.sparse.major", "1").Pax("GNU.sparse.realsize", "9999999").File("sparse", "1\n0\n4\ndata").Finish(),
            new TarBytes().Header("long", 'L', size: 20).Block(System.Text.Encoding.ASCII.GetBytes(new string('n', 20))).File("x", "y").Finish(),
            new TarBytes().Link("fifo", '6', "").Link("dev", '3', "").File("f", "grown", size: 4096).Unfinished(),
            new TarBytes().Pax("SCHILY.xattr.user.k", "v").Pax("mtime", "1.5").Pax("size", "3").File("x", "abc").Finish(),
        ];
    }

    // Most changes break the sum of a header, at which reading ends: half of the archives get theirs mended.
    private static byte[] Sealed(Random random, byte[] archive)
    {
        if (random.Next(2) == 0)
        {
            return archive;
        }

        const int Block = 512;
        for (int at = 0; at + Block <= archive.Length; at += Block)
        {
            Span<byte> block = archive.AsSpan(at, Block);
            if (block.Slice(257, 5).SequenceEqual("ustar"u8))
            {
                TarBytes.Seal(block);
            }
        }

        return archive;
    }

    private static byte[] Gzip(byte[] bytes)
    {
        using MemoryStream target = new();
        using (GZipStream gzip = new(target, CompressionLevel.Fastest))
        {
            gzip.Write(bytes);
        }

        return target.ToArray();
    }

    private sealed class Discarding : ITarSink
    {
        public long Bytes { get; private set; }

        public void Begin(TarEntry entry)
        {
        }

        public void Content(long offset, ReadOnlySpan<byte> bytes) => Bytes += bytes.Length;

        public void End()
        {
        }
    }
}
