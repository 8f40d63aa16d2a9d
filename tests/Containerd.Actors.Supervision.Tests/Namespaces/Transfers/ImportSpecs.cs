// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using System.IO.Compression;
using System.Text;
using Akka.Actor;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Core.Transfers;
using Containerd.Actors.Oci.Archives;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Transfers;

namespace Containerd.Actors.Supervision.Tests.Namespaces.Transfers;

public sealed class ImportSpecs : TransfersFixture
{
    [Fact]
    public async Task A_layout_is_stored_labelled_and_named_by_its_annotations()
    {
        var archive = new ArchiveBytes();
        Descriptor image = archive.Image("layer", Amd);
        archive.Layout(ArchiveNames.Named(image, "r.test/app:1"));

        IActorRef transfers = Transfers();
        (Reply<Nothing> reply, List<TransferStep> steps) = await RunAsync(transfers, Import(archive.Write(), Wish("r.test/index:1")));
        Assert.IsType<Done<Nothing>>(reply);

        NamespaceState state = await StateAsync();
        Assert.Equal(image.Digest, TargetOf(state, "r.test/app:1").Digest);
        Assert.Equal("v", state.Images["r.test/app:1"].Labels["l"]);
        Descriptor index = TargetOf(state, "r.test/index:1");
        Assert.Equal(MediaTypes.OciIndex, index.MediaType);
        Assert.Equal(image.Digest.ToString(), state.Content[index.Digest].Labels["containerd.io/gc.ref.content.m.0"]);
        Assert.Equal(Digest.Of("layer"u8).ToString(), state.Content[image.Digest].Labels["containerd.io/gc.ref.content.l.0"]);
        Assert.Contains("containerd.io/gc.ref.content.config", state.Content[image.Digest].Labels.Keys);
        Assert.Equal(["Importing", "saved r.test/index:1", "saved r.test/app:1", "Completed import"], steps.Select(step => $"{step.Event} {step.Name}".Trim()));
    }

    [Fact]
    public async Task A_docker_archive_becomes_an_index_of_docker_manifests_with_normalised_names()
    {
        byte[] config = ArchiveBytes.Config(Amd, Digest.Of("one"u8), Digest.Of("two"u8));
        byte[] archive = new ArchiveBytes()
            .File("a/layer.tar", "one").Link("b/layer.tar", "../c/layer.tar").File("c/layer.tar", "two").File("config.json", config).File("repositories", "{}")
            .File("manifest.json", """[{"Config":"config.json","RepoTags":["busybox:1","r.test/x:2"],"Layers":["a/layer.tar","./b/layer.tar"]}]""").Write();

        NamespaceState state = await ImportAsync(Transfers(), archive);
        Descriptor target = TargetOf(state, "docker.io/library/busybox:1");
        Assert.Equal(target.Digest, TargetOf(state, "r.test/x:2").Digest);
        Manifest manifest = ImageDocuments.ReadManifest(Content.Blobs[target.Digest], 1 << 20, MediaTypes.DockerManifest);
        Assert.Equal(Digest.Of(config), manifest.Config!.Digest);
        Assert.Equal([Digest.Of("one"u8), Digest.Of("two"u8)], manifest.Layers.Select(layer => layer.Digest));
        Assert.All(manifest.Layers, layer => Assert.Equal(MediaTypes.DockerLayer, layer.MediaType));
    }

    [Fact]
    public async Task Layers_of_a_docker_archive_are_compressed_where_asked_and_taken_where_they_are_known_compressed()
    {
        byte[] archive = new ArchiveBytes()
            .File("layer.tar", "plain").File("config.json", ArchiveBytes.Config(Amd, Digest.Of("plain"u8)))
            .File("manifest.json", """[{"Config":"config.json","RepoTags":["x:1"],"Layers":["layer.tar"]}]""").Write();
        IActorRef transfers = Transfers();
        NamespaceState state = await ImportAsync(transfers, archive, compresses: true);
        Descriptor layer = LayerOf(state, "docker.io/library/x:1");
        Assert.Equal(MediaTypes.DockerLayerGzip, layer.MediaType);
        Assert.Equal(Digest.Of("plain"u8).ToString(), state.Content[layer.Digest].Labels[ContentLabels.Uncompressed]);
        using var plain = new StreamReader(new GZipStream(new MemoryStream(Content.Blobs[layer.Digest]), CompressionMode.Decompress));
        Assert.Equal("plain", await plain.ReadToEndAsync());

        Assert.Equal(layer.Digest, LayerOf(await ImportAsync(transfers, archive), "docker.io/library/x:1").Digest);
    }

    [Fact]
    public async Task Only_wanted_platforms_must_be_complete()
    {
        var archive = new ArchiveBytes();
        Descriptor image = archive.Image("layer", Amd);
        var missing = new Descriptor(MediaTypes.OciManifest, Digest.Of("missing"u8), 7) { Platform = Arm };
        Descriptor index = archive.Blob(
            MediaTypes.OciIndex, ImageDocuments.Write(new Oci.Images.Index { MediaType = MediaTypes.OciIndex, Manifests = [image, missing] }));
        archive.Layout(ArchiveNames.Named(index, "r.test/app:1"));

        IActorRef transfers = Transfers();
        NamespaceState state = await ImportAsync(transfers, archive.Write(), Wish(platforms: [Amd]));
        Assert.Equal(index.Digest, TargetOf(state, "r.test/app:1").Digest);
        Assert.Equal(
            $"content digest {missing.Digest}: not found", await RefusalAsync(transfers, Import(archive.Write(), Wish(platforms: [Amd, Arm]))));
        Assert.Equal(
            "image might be filtered out: not found",
            await RefusalAsync(transfers, Import(archive.Write(), Wish(platforms: [new Platform("linux", "s390x")]))));
    }

    [Fact]
    public async Task Wanted_platforms_are_unpacked_and_the_configuration_keeps_the_top_snapshot()
    {
        var archive = new ArchiveBytes();
        Descriptor image = archive.Image("layer", Amd);
        archive.Layout(ArchiveNames.Named(image, "r.test/app:1"), archive.Image("other", Arm));

        NamespaceState state = await ImportAsync(Transfers(), archive.Write(), Wish(unpacks: [new UnpackWish(Amd, "overlayfs")]));
        var diffId = Digest.Of("layer"u8);
        Assert.Equal(["prepare on nothing", $"commit {diffId.Hex[..6]}"], Deeds.Where(deed => deed.Contains("prepare", StringComparison.Ordinal) || deed.Contains("commit", StringComparison.Ordinal)));
        Manifest manifest = ImageDocuments.ReadManifest(Content.Blobs[image.Digest], 1 << 20);
        Assert.Equal(diffId.ToString(), state.Content[manifest.Config!.Digest].Labels["containerd.io/gc.ref.snapshot.overlayfs"]);
        Assert.Equal(diffId.ToString(), state.Content[diffId].Labels[ContentLabels.Uncompressed]);
    }

    [Fact]
    public async Task Layers_unpacked_at_once_are_committed_in_the_order_of_the_chain()
    {
        string[] layers = ["one", "two", "three", "four", "five"];
        var archive = new ArchiveBytes();
        archive.Layout(ArchiveNames.Named(archive.Image(layers, Amd), "r.test/app:1"));
        await ImportAsync(Transfers(), archive.Write(), Wish(unpacks: [new UnpackWish(Amd, "overlayfs")]));
        IEnumerable<string> chain = ChainId.Each([.. layers.Select(layer => Digest.Of(System.Text.Encoding.UTF8.GetBytes(layer)))]).Select(id => $"commit {id.Hex[..6]}");
        Assert.Equal(chain, Deeds.Where(deed => deed.StartsWith("commit", StringComparison.Ordinal)));
        Assert.DoesNotContain("remove snapshot", Deeds);
    }

    [Fact]
    public async Task Of_layers_unpacked_at_once_of_which_one_is_refused_none_above_it_is_left()
    {
        var archive = new ArchiveBytes();
        archive.Layout(ArchiveNames.Named(archive.Image(["one", "two", "three"], Amd), "r.test/app:1"));
        DiffIds[Digest.Of("two"u8)] = Digest.Of("something else"u8);
        string refusal = await RefusalAsync(Transfers(), Import(archive.Write(), Wish(unpacks: [new UnpackWish(Amd, "overlayfs")])));
        Assert.StartsWith("wrong diff id", refusal, StringComparison.Ordinal);
        int commits = Deeds.Count(deed => deed.StartsWith("commit", StringComparison.Ordinal));
        Assert.InRange(commits, 0, 1);
        Assert.Equal(
            Deeds.Count(deed => deed.StartsWith("prepare", StringComparison.Ordinal)) - commits, Deeds.Count(deed => deed == "remove snapshot"));
    }

    [Fact]
    public async Task A_layer_that_is_not_what_the_configuration_says_leaves_neither_snapshot_nor_name()
    {
        var archive = new ArchiveBytes();
        archive.Layout(ArchiveNames.Named(archive.Image("layer", Amd), "r.test/app:1"));
        DiffIds[Digest.Of("layer"u8)] = Digest.Of("something else"u8);

        string refusal = await RefusalAsync(Transfers(), Import(archive.Write(), Wish(unpacks: [new UnpackWish(Amd, "overlayfs")])));
        Assert.StartsWith("wrong diff id", refusal, StringComparison.Ordinal);
        Assert.Contains("remove snapshot", Deeds);
        Assert.Empty((await StateAsync()).Images);
    }

    [Fact]
    public async Task Images_without_a_name_are_stored_by_digest_where_asked()
    {
        var archive = new ArchiveBytes();
        Descriptor image = archive.Image("layer", Amd);
        archive.Layout(image);
        IActorRef transfers = Transfers();
        Assert.Empty((await ImportAsync(transfers, archive.Write())).Images);
        ImmutableArray<ImageNaming> byDigest = [new ImageNaming("r.test/app", true, false, true, true)];
        Assert.Equal([$"r.test/app@{image.Digest}"], (await ImportAsync(transfers, archive.Write(), Wish(rules: byDigest))).Images.Keys);
    }

    [Fact]
    public async Task A_name_that_exists_stands_for_the_new_image()
    {
        IActorRef transfers = Transfers();
        foreach (string layer in new[] { "one", "two" })
        {
            var archive = new ArchiveBytes();
            Descriptor image = archive.Image(layer, Amd);
            archive.Layout(ArchiveNames.Named(image, "r.test/app:1"));
            Assert.Equal(image.Digest, TargetOf(await ImportAsync(transfers, archive.Write()), "r.test/app:1").Digest);
        }
    }

    public static TheoryData<string, string> Wrong => new()
    {
        { "unrecognized image format: invalid argument", "nothing" },
        { "missing index.json in OCI layout 1.0.0: invalid argument", "layout" },
        { "unsupported OCI version 9: invalid argument", "version" },
        { "image config \"c.json\" not found: invalid argument", "config" },
        { "failed to resolve layers: layer \"l.tar\" not found: invalid argument", "layer" },
        { "no target for symlink layer from \"l.tar\" to \"m.tar\": invalid argument", "link" },
        { "invalid tar archive: \"../evil\" leads out of the archive: invalid argument", "path" },
        { "invalid tar archive: link \"l.tar\" leads out of the archive: invalid argument", "outer link" },
        { "invalid tar archive: \"manifest.json\" occurs twice: invalid argument", "twice" },
        { "normalize image ref \"UPPER\": invalid reference format: repository name (library/UPPER) must be lowercase: invalid argument", "name" },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public async Task What_is_no_image_archive_is_refused_in_containerds_words(string refusal, string kind)
    {
        var archive = new ArchiveBytes();
        const string list = """[{"Config":"c.json","RepoTags":["x:1"],"Layers":["l.tar"]}]""";
        byte[] config = ArchiveBytes.Config(Amd, Digest.Of("l"u8));
        _ = kind switch
        {
            "nothing" => archive.File("a", "b"),
            "layout" => archive.File("oci-layout", ImageArchive.WriteLayout()),
            "version" => archive.File("oci-layout", """{"imageLayoutVersion":"9"}"""),
            "config" => archive.File("manifest.json", list),
            "layer" => archive.File("manifest.json", list).File("c.json", config),
            "link" => archive.File("manifest.json", list).File("c.json", config).Link("l.tar", "m.tar"),
            "path" => archive.File("../evil", "x"),
            "outer link" => archive.Link("l.tar", "../../etc/passwd"),
            "twice" => archive.File("manifest.json", list).File("./manifest.json", list),
            _ => archive.File("manifest.json", list.Replace("x:1", "UPPER", StringComparison.Ordinal)).File("c.json", config).File("l.tar", "l"),
        };
        Assert.Equal(refusal, await RefusalAsync(Transfers(), Import(archive.Write())));
        Assert.Empty((await StateAsync()).Images);
    }

    [Fact]
    public async Task A_blob_that_is_not_what_its_path_says_is_refused_and_given_up()
    {
        var archive = new ArchiveBytes();
        string path = ImageArchive.BlobPath(Digest.Of("right"u8));
        archive.File(path, "wrong").Layout();
        string refusal = await RefusalAsync(Transfers(), Import(archive.Write()));
        Assert.StartsWith($"failed to ingest \"{path}\": unexpected commit digest", refusal, StringComparison.Ordinal);
        Assert.Contains($"give up tar-{path}", Deeds);
    }

    [Fact]
    public async Task Whoever_is_refused_finds_the_upload_given_up()
    {
        var archive = new ArchiveBytes();
        string path = ImageArchive.BlobPath(Digest.Of("right"u8));
        archive.File(path, "wrong").Layout();
        var closed = new TaskCompletionSource();
        Content.Closes = closed.Task;
        Akka.TestKit.TestProbe asker = CreateTestProbe();
        Transfers().Tell(Import(archive.Write()), asker);
        await AwaitAssertAsync(() => Assert.Contains($"give up tar-{path}", Deeds), Patience);
        await asker.ExpectMsgAsync<TransferStep>(Patience);
        await asker.ExpectNoMsgAsync(TimeSpan.FromMilliseconds(200));

        closed.SetResult();
        await asker.ExpectMsgAsync<Refused<Nothing>>(Patience);
    }

    [Fact]
    public async Task An_archive_over_its_limits_is_refused()
    {
        var archive = new ArchiveBytes();
        for (int i = 0; i <= 100; i++)
        {
            archive.File($"f{i}", "x");
        }

        Assert.Contains("MaxEntries = 100", await RefusalAsync(Transfers(), Import(archive.Write())), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_import_ends_with_whoever_asked_for_it()
    {
        var gate = new TaskCompletionSource();
        Streams.Gate = gate.Task;
        IActorRef transfers = Transfers();
        Akka.TestKit.TestProbe asker = CreateTestProbe();
        transfers.Tell(Import(new ArchiveBytes().Write()), asker);
        await asker.FishForMessageAsync<TransferStep>(step => step.Event == "Importing", Patience);
        IActorRef transfer = await Sys.ActorSelection(transfers.Path / "*").ResolveOne(Patience);
        Watch(transfer);
        Sys.Stop(asker);
        await ExpectTerminatedAsync(transfer, Patience);
    }

    [Fact]
    public async Task What_was_asked_and_how_it_ended_is_in_the_journal_also_after_the_daemon_was_killed()
    {
        var archive = new ArchiveBytes();
        Descriptor image = archive.Image("layer", Amd);
        archive.Layout(ArchiveNames.Named(image, "r.test/app:1"));
        Streams.Gate = new TaskCompletionSource().Task;
        IActorRef transfers = Transfers();
        Akka.TestKit.TestProbe asker = CreateTestProbe();
        transfers.Tell(Import(archive.Write(), Wish("r.test/index:1")), asker);
        await asker.FishForMessageAsync<TransferStep>(step => step.Event == "Importing", Patience);
        string operation = (await Sys.ActorSelection(transfers.Path / "*").ResolveOne(Patience)).Path.Name;
        Watch(transfers);
        Sys.Stop(transfers);
        await ExpectTerminatedAsync(transfers, Patience);
        Assert.Equal(["import r.test/index:1"], (await JournalAsync(operation)).OfType<TransferEvents.Requested>().Select(e => $"{e.Kind} {e.Images.Single()}"));

        Transfers(EntityIds.Transfer(Ns, operation));
        await AwaitAssertAsync(
            async () => Assert.Equal(
                "import: the daemon ended meanwhile: unavailable",
                Assert.Single((await JournalAsync(operation)).OfType<TransferEvents.Failed>()).Error.Text),
            Patience);
    }

    [Fact]
    public async Task More_transfers_than_allowed_are_refused_by_the_key_of_the_limit()
    {
        Streams.Gate = new TaskCompletionSource().Task;
        IActorRef transfers = Transfers();
        for (int i = 0; i < 2; i++)
        {
            Akka.TestKit.TestProbe asker = CreateTestProbe();
            transfers.Tell(Import([]), asker);
            await asker.FishForMessageAsync<TransferStep>(step => step.Event == "Importing", Patience);
        }

        Assert.Contains("containerd.transfers.children-max", await RefusalAsync(transfers, Import([])), StringComparison.Ordinal);
    }

    private Descriptor LayerOf(NamespaceState state, string name) =>
        Assert.Single(ImageDocuments.ReadManifest(Content.Blobs[TargetOf(state, name).Digest], 1 << 20).Layers);
}
