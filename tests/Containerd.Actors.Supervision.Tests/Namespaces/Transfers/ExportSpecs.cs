// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using System.Formats.Tar;
using Akka.Actor;
using Containerd.Actors.Oci.Archives;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Transfers;

namespace Containerd.Actors.Supervision.Tests.Namespaces.Transfers;

public sealed class ExportSpecs : TransfersFixture
{
    private static readonly ExportForm Everything = new([], AllPlatforms: true, SkipsDockerManifest: false, SkipsForeignLayers: false);

    private Descriptor _amd = null!;
    private Descriptor _arm = null!;
    private Descriptor _index = null!;

    [Fact]
    public async Task An_index_is_written_with_every_platform_sorted_and_with_its_names()
    {
        IActorRef transfers = await WithIndexAsync();
        Dictionary<string, byte[]> files = await ExportAsync(transfers, Everything, "docker.io/library/app:1", "r.test/app:2");

        Assert.Equal(files.Keys.Order(StringComparer.Ordinal), files.Keys);
        Assert.Equal("blobs/", files.Keys.First());
        Oci.Images.Index index = ImageDocuments.ReadIndex(files["index.json"], 1 << 20);
        Assert.Equal(["docker.io/library/app:1", "r.test/app:2"], index.Manifests.Select(entry => entry.Annotations![ArchiveNames.ImageName]));
        Assert.All(index.Manifests, entry => Assert.Equal(_index.Digest, entry.Digest));
        foreach (Descriptor part in new[] { _index, _amd, _arm })
        {
            Assert.Equal(Content.Blobs[part.Digest], files[ImageArchive.BlobPath(part.Digest)]);
        }

        ArchivedImage docker = Assert.Single(ImageArchive.ReadImages(files["manifest.json"]));
        Assert.Equal(["app:1", "r.test/app:2"], docker.RepoTags);
        Assert.True(files.ContainsKey(docker.Config));
        Assert.All(docker.Layers, layer => Assert.True(files.ContainsKey(layer)));
        ImageArchive.CheckLayout(files["oci-layout"]);
    }

    [Fact]
    public async Task One_platform_is_written_without_the_others()
    {
        IActorRef transfers = await WithIndexAsync();
        Dictionary<string, byte[]> files = await ExportAsync(transfers, new ExportForm([Arm], false, true, false), "r.test/app:2");
        Assert.True(files.ContainsKey(ImageArchive.BlobPath(_arm.Digest)));
        Assert.False(files.ContainsKey(ImageArchive.BlobPath(_amd.Digest)));
        Assert.False(files.ContainsKey("manifest.json"));
    }

    [Fact]
    public async Task What_is_exported_is_imported_as_the_same_images()
    {
        IActorRef transfers = await WithIndexAsync();
        await ExportAsync(transfers, Everything, "r.test/app:2");
        byte[] archive = Streams.Outgoing.ToArray();
        Content.Blobs.Clear();

        Assert.Equal(_index.Digest, TargetOf(await ImportAsync(transfers, archive), "r.test/app:2").Digest);
        await ExportAsync(transfers, Everything, "r.test/app:2");
        Assert.Equal(archive, Streams.Outgoing.ToArray());
    }

    [Fact]
    public async Task What_cannot_be_exported_is_refused_before_a_byte_is_written()
    {
        IActorRef transfers = await WithIndexAsync();
        Assert.Equal("image \"none\": not found", await RefusalAsync(transfers, Export(Everything, "none")));
        Assert.Equal(
            "no manifest found for platform: not found",
            await RefusalAsync(transfers, Export(new ExportForm([new Platform("linux", "s390x")], false, false, false), "r.test/app:2")));
        Content.Blobs.Remove(_arm.Digest, out _);
        Assert.Equal($"content digest {_arm.Digest}: not found", await RefusalAsync(transfers, Export(Everything, "r.test/app:2")));
        Assert.Equal(0, Streams.Outgoing.Length);
    }

    private async Task<IActorRef> WithIndexAsync()
    {
        var archive = new ArchiveBytes();
        (_amd, _arm) = (archive.Image("for amd", Amd), archive.Image("for arm", Arm));
        _index = archive.Blob(MediaTypes.OciIndex, ImageDocuments.Write(new Oci.Images.Index { MediaType = MediaTypes.OciIndex, Manifests = [_amd, _arm] }));
        archive.Layout(ArchiveNames.Named(_index, "r.test/app:2"), ArchiveNames.Named(_index, "docker.io/library/app:1"));
        IActorRef transfers = Transfers();
        await ImportAsync(transfers, archive.Write());
        return transfers;
    }

    private static TransferCommands.Export Export(ExportForm form, params ImmutableArray<string> names) => new(Ns, names, "export-1", form, By);

    private async Task<Dictionary<string, byte[]>> ExportAsync(IActorRef transfers, ExportForm form, params ImmutableArray<string> names)
    {
        Streams.Outgoing = new MemoryStream();
        (Reply<Nothing> reply, List<TransferStep> steps) = await RunAsync(transfers, Export(form, names));
        Assert.IsType<Done<Nothing>>(reply);
        Assert.Equal(["Exporting", "Completed export"], steps.Select(step => step.Event));
        var files = new Dictionary<string, byte[]>();
        await using var tar = new TarReader(new MemoryStream(Streams.Outgoing.ToArray()));
        while (await tar.GetNextEntryAsync() is { } entry)
        {
            var bytes = new MemoryStream();
            await (entry.DataStream?.CopyToAsync(bytes) ?? Task.CompletedTask);
            files.Add(entry.Name, bytes.ToArray());
        }

        return files;
    }
}
