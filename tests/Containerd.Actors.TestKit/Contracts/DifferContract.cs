// SPDX-License-Identifier: Apache-2.0

using System.Formats.Tar;
using System.IO.Compression;
using Containerd.Actors.TestKit.Daemons;
using Containerd.Services.Diff.V1;
using Containerd.Services.Snapshots.V1;
using Grpc.Core;

namespace Containerd.Actors.TestKit.Contracts;

/// <summary>What every differ does that is reached through containerd's API: layers onto mounts, and mounts into layers.</summary>
public abstract class DifferContract(ServedDaemon daemon, string snapshotter) : Contract(daemon)
{
    private const string Layer = "application/vnd.oci.image.layer.v1.tar";

    /// <summary>False for daemons that cannot make layers of zstd.</summary>
    protected virtual bool MakesZstandard => true;

    /// <summary>How a layer of a type that is none is refused.</summary>
    protected virtual StatusCode UnknownType => StatusCode.Unimplemented;

    [SkippableTheory]
    [InlineData(Layer, false)]
    [InlineData(Layer + "+gzip", true)]
    [InlineData("application/vnd.docker.image.rootfs.diff.tar", false)]
    [InlineData("application/vnd.docker.image.rootfs.diff.tar", true)]
    [InlineData("application/vnd.docker.image.rootfs.diff.tar.gzip", true)]
    [InlineData("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", true)]
    [InlineData("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", true)]
    public async Task A_layer_is_extracted_and_told_uncompressed(string mediaType, bool compressed)
    {
        byte[] plain = Archive(("d/", null), ("d/f", "text"), ("g", "more"));
        byte[] blob = compressed ? Gzip(plain) : plain;
        IList<Types.Mount> mounts = await PrepareAsync("k");
        Types.Descriptor applied = await ApplyAsync(blob, mediaType, mounts);
        Assert.Equal((Layer, DigestOf(plain), plain.Length), (applied.MediaType, applied.Digest, applied.Size));
        string root = Mounted(mounts);
        Assert.Equal("text", File.ReadAllText(Path.Combine(root, "d", "f")));
        Assert.Equal("more", File.ReadAllText(Path.Combine(root, "g")));
    }

    [SkippableFact]
    public async Task Whiteouts_take_away_what_lies_below()
    {
        await ApplyAndCommitAsync("l1", "", Archive(("d/", null), ("d/one", "1"), ("d/two", "2"), ("e/", null), ("e/old", "3"), ("f", "4")));
        await ApplyAndCommitAsync("l2", "l1", Archive(("d/", null), ("d/.wh.one", ""), ("e/", null), ("e/.wh..wh..opq", ""), ("e/new", "5"), (".wh.f", "")));
        string root = Mounted(await ViewAsync("v", "l2"));
        Assert.Equal(["two"], Names(root, "d"));
        Assert.Equal(["new"], Names(root, "e"));
        Assert.Equal(["d", "e"], Names(root, ""));
    }

    [SkippableFact]
    public async Task What_the_namespace_does_not_see_is_not_applied()
    {
        IList<Types.Mount> mounts = await PrepareAsync("k");
        string missing = DigestOf(Guid.NewGuid().ToByteArray());
        await RefusedAsync(StatusCode.NotFound, null, () => ApplyAsync(missing, 10, Layer, mounts));
    }

    [SkippableFact]
    public async Task A_media_type_that_is_no_layer_is_refused()
    {
        IList<Types.Mount> mounts = await PrepareAsync("k");
        await RefusedAsync(UnknownType, null, () => ApplyAsync(Archive(("f", "x")), "application/vnd.example.nothing", mounts));
        await RefusedAsync(StatusCode.Unimplemented, null, () => DiffAsync([], mounts, "application/vnd.example.nothing"));
    }

    [SkippableFact]
    public async Task A_layer_that_leaves_its_root_writes_nothing_outside()
    {
        string outside = Path.Combine(Path.GetTempPath(), $"outside-{Guid.NewGuid():N}");
        IList<Types.Mount> mounts = await PrepareAsync("k");
        byte[] evil = Archive(("link->", Path.GetTempPath()), ($"link/{Path.GetFileName(outside)}", "x"), ($"../../../../../..{outside}", "x"));
        try
        {
            await ApplyAsync(evil, Layer, mounts);
        }
        catch (RpcException)
        {
            // To refuse the layer is as good as to keep it inside.
        }

        Assert.False(File.Exists(outside));
    }

    [SkippableTheory]
    [InlineData("")]
    [InlineData(Layer)]
    [InlineData(Layer + "+gzip")]
    [InlineData(Layer + "+zstd")]
    public async Task What_differs_becomes_a_layer_that_makes_the_same_tree(string mediaType)
    {
        Skip.If(mediaType.EndsWith("zstd", StringComparison.Ordinal) && !MakesZstandard, "the daemon makes no layers of zstd");
        await ApplyAndCommitAsync("base", "", Archive(("d/", null), ("d/one", "1"), ("d/two", "2"), ("f", "3")));
        IList<Types.Mount> upper = await PrepareAsync("change", "base");
        string root = Mounted(upper);
        File.WriteAllText(Path.Combine(root, "d", "two"), "changed");
        File.WriteAllText(Path.Combine(root, "added"), "4");
        File.Delete(Path.Combine(root, "f"));
        Directory.CreateDirectory(Path.Combine(root, "e"));
        Unmount(root);
        Types.Descriptor layer = await DiffAsync(await ViewAsync("lower", "base"), upper, mediaType, ("kept", "yes"));
        Assert.Equal(mediaType.Length == 0 ? Layer + "+gzip" : mediaType, layer.MediaType);
        Services.Content.V1.Info info = (await Client.Content.InfoAsync(new Services.Content.V1.InfoRequest { Digest = layer.Digest })).Info;
        Assert.Equal(("yes", layer.Size), (info.Labels["kept"], info.Size));

        IList<Types.Mount> again = await PrepareAsync("again", "base");
        Types.Descriptor applied = await ApplyAsync(layer.Digest, layer.Size, layer.MediaType, again);
        Assert.Equal(mediaType == Layer ? layer.Digest : info.Labels["containerd.io/uncompressed"], applied.Digest);
        string same = Mounted(again);
        Assert.Equal(["added", "d", "e"], Names(same, ""));
        Assert.Equal("changed", File.ReadAllText(Path.Combine(same, "d", "two")));
        Assert.Equal(["one", "two"], Names(same, "d"));
    }

    /// <summary>A tar archive of files, of directories (names that end in a slash) and of links (names that end in <c>-&gt;</c>).</summary>
    protected static byte[] Archive(params (string Name, string? Text)[] entries)
    {
        using MemoryStream bytes = new();
        using (TarWriter writer = new(bytes, TarEntryFormat.Pax, leaveOpen: true))
        {
            foreach ((string name, string? text) in entries)
            {
                TarEntry entry = name switch
                {
                    _ when name.EndsWith("->", StringComparison.Ordinal) => new PaxTarEntry(TarEntryType.SymbolicLink, name[..^2]) { LinkName = text! },
                    _ when name.EndsWith('/') => new PaxTarEntry(TarEntryType.Directory, name),
                    _ => new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(text!)) },
                };
                entry.ModificationTime = DateTimeOffset.UnixEpoch.AddDays(20_000);
                writer.WriteEntry(entry);
            }
        }

        return bytes.ToArray();
    }

    /// <summary>The bytes compressed.</summary>
    protected static byte[] Gzip(byte[] bytes)
    {
        using MemoryStream compressed = new();
        using (GZipStream gzip = new(compressed, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(bytes);
        }

        return compressed.ToArray();
    }

    private static IEnumerable<string> Names(string root, string directory) =>
        Directory.GetFileSystemEntries(Path.Combine(root, directory)).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal);

    private async Task ApplyAndCommitAsync(string name, string parent, byte[] layer)
    {
        await ApplyAsync(layer, Layer, await PrepareAsync($"layer-{name}", parent));
        await Client.Snapshots.CommitAsync(new CommitSnapshotRequest { Snapshotter = snapshotter, Name = name, Key = $"layer-{name}" });
    }

    /// <summary>Stores a layer and extracts it.</summary>
    protected async Task<Types.Descriptor> ApplyAsync(byte[] blob, string mediaType, IEnumerable<Types.Mount> mounts) =>
        await ApplyAsync(await StoreAsync(blob), blob.Length, mediaType, mounts);

    private async Task<Types.Descriptor> ApplyAsync(string digest, long size, string mediaType, IEnumerable<Types.Mount> mounts)
    {
        ApplyRequest request = new() { Diff = new Types.Descriptor { Digest = digest, Size = size, MediaType = mediaType } };
        request.Mounts.Add(mounts);
        return (await Client.Diff.ApplyAsync(request)).Applied;
    }

    private async Task<Types.Descriptor> DiffAsync(IEnumerable<Types.Mount> left, IEnumerable<Types.Mount> right, string mediaType, params (string Key, string Value)[] labels)
    {
        DiffRequest request = new() { MediaType = mediaType, Ref = $"diff-{Guid.NewGuid():N}" };
        request.Left.Add(left);
        request.Right.Add(right);
        request.Labels.Add(labels.ToDictionary(label => label.Key, label => label.Value));
        return (await Client.Diff.DiffAsync(request)).Diff;
    }

    /// <summary>An active snapshot to extract to.</summary>
    protected async Task<IList<Types.Mount>> PrepareAsync(string key, string parent = "") =>
        (await Client.Snapshots.PrepareAsync(new PrepareSnapshotRequest { Snapshotter = snapshotter, Key = key, Parent = parent })).Mounts;

    private async Task<IList<Types.Mount>> ViewAsync(string key, string parent = "") =>
        (await Client.Snapshots.ViewAsync(new ViewSnapshotRequest { Snapshotter = snapshotter, Key = key, Parent = parent })).Mounts;
}
