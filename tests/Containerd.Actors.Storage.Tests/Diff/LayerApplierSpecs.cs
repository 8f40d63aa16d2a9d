// SPDX-License-Identifier: Apache-2.0

using System.IO.Compression;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Storage.Diff;
using Containerd.Actors.Storage.Diff.Tar;

namespace Containerd.Actors.Storage.Tests.Diff;

public sealed class LayerApplierSpecs : IDisposable
{
    private const string Plain = "application/vnd.oci.image.layer.v1.tar";

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [SkippableTheory]
    [InlineData("--format=posix --xattrs --xattrs-include=*", Plain, "")]
    [InlineData("--format=gnu", Plain + "+gzip", "| gzip -1")]
    [InlineData("--format=gnu --sparse", Plain + "+zstd", "| zstd -q")]
    [InlineData("--format=posix --sparse --sparse-version=0.0", "application/vnd.docker.image.rootfs.diff.tar", "| gzip")]
    [InlineData("--format=posix --sparse --sparse-version=0.1", Plain, "")]
    [InlineData("--format=posix --sparse --sparse-version=1.0", Plain, "")]
    public void A_real_tree_is_extracted_as_gnu_tar_does(string options, string mediaType, string filter)
    {
        Skip.IfNot(TemporaryDirectory.IsRoot);
        string source = _directory.Make("source");
        string expected = _directory.Make("expected");
        string actual = _directory.Make("actual");
        string longName = string.Concat(Enumerable.Repeat("long-name-", 20));
        TreeListing.Shell($"""
            cd {source}
            mkdir -p usr/bin var/empty 'with blank' {longName}/{longName}
            cp -a /bin/sh /bin/ls usr/bin/
            echo content > {longName}/{longName}/file; ln -s /{longName}/{longName} long-link
            echo a > usr/a; chmod 4755 usr/a; chown 12:34 usr/a; ln usr/a usr/b; ln usr/a var/c
            printf 'x' > "$(printf 'latin\351')"
            ln -s /etc/passwd absolute; ln -s usr/bin bin; mkfifo pipe; mknod null c 1 3; mknod disk b 8 300
            setfattr -n user.test -v value usr/bin 2>/dev/null || true
            truncate -s 3M sparse; for i in 0 2 4 6 8 10 12 14 16 18 20; do printf data | dd of=sparse bs=64K seek=$i conv=notrunc status=none; done
            truncate -s 5M hole; : > empty
            chmod 1777 var/empty; chmod 0500 'with blank'; touch -d '2001-02-03 04:05:06.789012345' usr var usr/a bin
            tar -c {options} -f {_directory["archive.tar"]} .
            cat {_directory["archive.tar"]} {filter} > {_directory["layer"]}
            tar -x -p --numeric-owner --xattrs --xattrs-include='*' -f {_directory["archive.tar"]} -C {expected}
            """);

        using FileStream layer = File.OpenRead(_directory["layer"]);
        AppliedLayer applied = LayerApplier.Apply(layer, mediaType, ApplyTarget.Plain(actual), LayerLimits.Default);

        byte[] archive = File.ReadAllBytes(_directory["archive.tar"]);
        Assert.Equal((Digest.Of(archive), archive.LongLength), (applied.DiffId, applied.Size));
        Assert.Equal(TreeListing.Of(expected), TreeListing.Of(actual));
    }

    [SkippableFact]
    public void Members_of_gzip_follow_one_another_and_truncated_ones_are_refused()
    {
        Skip.IfNot(TemporaryDirectory.IsRoot);
        byte[] archive = new TarBytes().File("a", "aaaa").File("b", "bbbb").Finish();
        byte[] members = [.. Gzip(archive[..700]), .. Gzip(archive[700..])];

        AppliedLayer applied = Apply(members, Plain + "+gzip");
        Assert.Equal(Digest.Of(archive), applied.DiffId);
        Assert.Equal("bbbb", File.ReadAllText(_directory["target/b"]));
        RefusedException refusal = Assert.Throws<RefusedException>(() => Apply(members[..^20], Plain + "+gzip"));
        Assert.Equal(ErrorKind.InvalidArgument, refusal.Error.Kind);
    }

    [SkippableFact]
    public void Whiteouts_become_overlayfs_own_and_missing_parents_come_from_below()
    {
        Skip.IfNot(TemporaryDirectory.IsRoot);
        string upper = _directory.Make("upper");
        string lower = _directory.Make("lower");
        TreeListing.Shell($"mkdir -p {lower}/srv/data && chmod 2750 {lower}/srv && chown 5:6 {lower}/srv");
        byte[] archive = new TarBytes().File("srv/.wh.gone", "").File("srv/data/.wh..wh..opq", "").File("srv/data/new", "n").Finish();

        LayerApplier.Apply(new MemoryStream(archive), Plain, new ApplyTarget(upper, [lower], "trusted."), LayerLimits.Default);

        string listing = TreeListing.Of(upper);
        Assert.Contains("/srv Directory 2750 5:6 ", listing, StringComparison.Ordinal);
        Assert.Contains("/srv/gone CharacterDevice ", listing, StringComparison.Ordinal);
        Assert.Contains("/srv/data Directory ", listing, StringComparison.Ordinal);
        Assert.Contains("trusted.overlay.opaque=79", listing, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void Whiteouts_delete_in_a_plain_directory_but_not_what_the_layer_brought()
    {
        Skip.IfNot(TemporaryDirectory.IsRoot);
        string target = _directory.Make("target");
        TreeListing.Shell($"mkdir -p {target}/d/old {target}/e && touch {target}/d/old/x {target}/d/f {target}/e/f");
        Apply(new TarBytes().File("d/new", "n").File("d/.wh..wh..opq", "").File("e/.wh.f", "").File("e/.wh.missing", "").Finish(), Plain);

        Assert.Equal([$"{target}/d/new"], Directory.GetFileSystemEntries($"{target}/d"));
        Assert.Empty(Directory.GetFileSystemEntries($"{target}/e"));
    }

    [SkippableFact]
    public void Names_that_try_to_leave_stay_inside_or_are_refused()
    {
        Skip.IfNot(TemporaryDirectory.IsRoot);
        string outside = _directory.Make("outside");
        File.WriteAllText($"{outside}/secret", "secret");
        string target = _directory.Make("target");

        Apply(new TarBytes().Link("out", '2', outside).Directory(outside).File("out/secret", "inside").Finish(), Plain);
        Apply(new TarBytes().File($"{outside}/secret", "absolute").Finish(), Plain);
        Apply(new TarBytes().Link("up", '2', "../../../..").File("up/through", "x").Finish(), Plain);
        Apply(new TarBytes().Link("file", '2', $"{outside}/secret").File("file", "replaced").Finish(), Plain);

        Assert.Equal("secret", File.ReadAllText($"{outside}/secret"));
        Assert.Equal("absolute", File.ReadAllText($"{target}{outside}/secret"));
        Assert.Equal("x", File.ReadAllText($"{target}/through"));
        Assert.Equal("replaced", File.ReadAllText($"{target}/file"));
        Assert.Single(Directory.GetFileSystemEntries(outside));
        foreach (TarBytes hostile in (TarBytes[])[
            new TarBytes().File("../up", "x"),
            new TarBytes().File("a/../../up", "x"),
            new TarBytes().Link("hard", '1', "../outside/secret"),
            new TarBytes().Link("hard", '1', $"{outside}/missing"),
            new TarBytes().Link("self", '1', "self"),
            new TarBytes().File(".wh.", ""),
            new TarBytes().File(".wh..", ""),
            new TarBytes().File("d/.wh...", ""),
            new TarBytes().Link("loop", '2', "loop").File("loop/x", "x")])
        {
            RefusedException refusal = Assert.Throws<RefusedException>(() => Apply(hostile.Finish(), Plain));
            Assert.Contains("entry \"", refusal.Message, StringComparison.Ordinal);
        }
    }

    [SkippableFact]
    public void Too_many_entries_too_many_bytes_and_too_high_a_ratio_name_their_key()
    {
        Skip.IfNot(TemporaryDirectory.IsRoot);
        byte[] bomb = Gzip(new byte[4 << 20]);
        LayerLimits ratio = new() { MaxRatio = 100, RatioGrace = 1 << 20 };
        Assert.Contains("MaxRatio", Refusal(bomb, Plain + "+gzip", ratio), StringComparison.Ordinal);

        TarBytes many = new();
        for (int i = 0; i < 1001; i++)
        {
            many.Directory($"d{i % 3}");
        }

        Assert.Contains("MaxEntries", Refusal(many.Finish(), Plain, new LayerLimits { MaxEntries = 1000 }), StringComparison.Ordinal);
        byte[] huge = new TarBytes().File("f", "", size: long.MaxValue >> 20).Finish();
        Assert.Contains("MaxSize", Refusal(huge, Plain, LayerLimits.Default), StringComparison.Ordinal);
        byte[] long1 = new TarBytes().Pax("path", new string('p', 5000)).File("f", "").Finish();
        Assert.Contains("MaxPathLength", Refusal(long1, Plain, LayerLimits.Default), StringComparison.Ordinal);
    }

    [Fact]
    public void Media_types_that_are_no_layers_are_not_implemented() =>
        Assert.Equal(
            ErrorKind.NotImplemented,
            Assert.Throws<RefusedException>(() => Apply([], "application/vnd.oci.image.config.v1+json")).Error.Kind);

    private static byte[] Gzip(byte[] bytes)
    {
        using MemoryStream target = new();
        using (GZipStream gzip = new(target, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(bytes);
        }

        return target.ToArray();
    }

    private string Refusal(byte[] bytes, string mediaType, LayerLimits limits) => Assert.Throws<RefusedException>(() =>
        LayerApplier.Apply(new MemoryStream(bytes), mediaType, ApplyTarget.Plain(_directory.Make("target")), limits)).Message;

    private AppliedLayer Apply(byte[] bytes, string mediaType) => LayerApplier.Apply(
        new MemoryStream(bytes), mediaType, ApplyTarget.Plain(_directory.Make("target")), LayerLimits.Default);
}
