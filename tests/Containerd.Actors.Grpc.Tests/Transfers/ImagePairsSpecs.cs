// SPDX-License-Identifier: Apache-2.0

using System.Collections.Frozen;
using Akka.Actor;
using Containerd.Actors.Core.Leases;
using Containerd.Actors.Grpc.Calls;
using Containerd.Actors.Grpc.Snapshots;
using Containerd.Actors.Grpc.Streaming;
using Containerd.Actors.Grpc.Tests.Calls;
using Containerd.Actors.Grpc.Tests.Streaming;
using Containerd.Actors.Grpc.Transfers;
using Containerd.Actors.Oci.Archives;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Transfers;
using Containerd.Actors.Protocol.Values;
using Containerd.Services.Transfer.V1;
using Containerd.Types.Transfer;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Platform = Containerd.Types.Platform;

namespace Containerd.Actors.Grpc.Tests.Transfers;

public sealed class ImagePairsSpecs : IDisposable
{
    private readonly LiveStreams _streams = new();
    private readonly ActorSystem _system = ActorSystem.Create("listeners", "akka.loglevel = OFF");

    public void Dispose() => _system.Dispose();

    [Fact]
    public async Task An_import_says_what_is_wanted_and_runs_under_a_lease_of_its_own()
    {
        using ScriptedTree tree = new(Answer);
        ImageStore store = new()
        {
            Name = "index",
            Labels = { ["a"] = "b" },
            ManifestLimit = 2,
            Platforms = { new Platform { Os = "linux", Architecture = "x86_64" } },
            ExtraReferences = { new ImageReference { Name = "p", IsPrefix = true, AllowOverwrite = true, AddDigest = true, SkipNamedDigest = true } },
            Unpacks =
            {
                new UnpackConfiguration(),
                new UnpackConfiguration { Snapshotter = "none" },
                new UnpackConfiguration { Platform = new Platform { Os = "plan9", Architecture = "mips" }, Snapshotter = "native" },
            },
        };
        await Transfer(tree, new ImageImportStream { Stream = "i", ForceCompress = true, MediaType = "m" }, store);

        TransferCommands.Import import = Assert.Single(tree.Asked.OfType<TransferCommands.Import>());
        Assert.Equal(("default", "i", "m", true, "made"), (import.Namespace, import.Stream, import.MediaType, import.Compresses, import.By.Lease));
        ImportWish wish = import.Images;
        Assert.Equal(("index", "b", 2, "linux/amd64"), (wish.Name, wish.Labels["a"], wish.ManifestsMax, Platforms.Text(wish.Platforms.Single())));
        Assert.Equal(new ImageNaming("p", true, true, true, true), Assert.Single(wish.Rules));
        Assert.Equal(new UnpackWish(Platforms.Host, "overlayfs"), Assert.Single(wish.Unpacks));
        Assert.Equal("made", Assert.Single(tree.Asked.OfType<LeaseCommands.Delete>()).Id);
    }

    [Fact]
    public async Task An_export_names_its_images_once_and_refuses_prefixes()
    {
        using ScriptedTree tree = new(Answer);
        ImageStore store = new() { Name = "a", ExtraReferences = { new ImageReference { Name = "b" }, new ImageReference { Name = "a" } } };
        await Transfer(tree, store, new ImageExportStream { Stream = "e", AllPlatforms = true, SkipCompatibilityManifest = true, SkipNonDistributable = true });
        TransferCommands.Export export = Assert.Single(tree.Asked.OfType<TransferCommands.Export>());
        Assert.Equal(["a", "b"], export.Images.AsEnumerable());
        Assert.Equal(("e", true, true, true), (export.Stream, export.Form.AllPlatforms, export.Form.SkipsDockerManifest, export.Form.SkipsForeignLayers));

        store.ExtraReferences[0].IsPrefix = true;
        RefusedException refused = await Assert.ThrowsAsync<RefusedException>(() => Transfer(tree, store, new ImageExportStream()));
        Assert.Equal("prefix lookup on export not implemented", refused.Error.Text);
    }

    [Fact]
    public async Task A_push_says_where_to_and_how()
    {
        using ScriptedTree tree = new(Answer);
        await Transfer(
            tree, new ImageStore { Name = "a" },
            new OCIRegistry { Reference = "r.test/a:1", Resolver = new RegistryResolver { DefaultScheme = "http", HostDir = "/hosts" } });
        TransferCommands.Push push = Assert.Single(tree.Asked.OfType<TransferCommands.Push>());
        Assert.Equal(("a", "r.test/a:1", true, "/hosts"), (push.Image, push.Reference, push.Source.IsPlainHttp, push.Source.HostsDirectory));
    }

    [Fact]
    public async Task A_push_says_who_answers_for_credentials()
    {
        using ScriptedTree tree = new(Answer);
        using FakeClient client = await FakeClient.OpenAsync(_streams, tree.Tree, "creds");
        await Transfer(
            tree, new ImageStore { Name = "a" },
            new OCIRegistry { Reference = "r.test/a:1", Resolver = new RegistryResolver { AuthStream = "creds", Headers = { ["x"] = "y" } } });
        TransferCommands.Push push = Assert.Single(tree.Asked.OfType<TransferCommands.Push>());
        Assert.True(push.Source.AsksForCredentials);
        Assert.Equal("y", push.Source.Headers["x"]);
        RefusedException refused = await Assert.ThrowsAsync<RefusedException>(() => Transfer(
            tree, new ImageStore { Name = "a" }, new OCIRegistry { Reference = "r", Resolver = new RegistryResolver { AuthStream = "none" } }));
        Assert.Equal("stream \"none\": not found", refused.Error.Text);
    }

    [Fact]
    public async Task Steps_are_told_on_the_progress_stream_and_a_refusal_is_the_answer()
    {
        using ScriptedTree tree = new(Refuse);
        using FakeClient client = await FakeClient.OpenAsync(_streams, tree.Tree, "p");
        RefusedException refused = await Assert.ThrowsAsync<RefusedException>(
            () => Transfer(tree, new ImageStore { Name = "a" }, new OCIRegistry { Reference = "r" }, "p"));
        Assert.Equal("image \"a\": not found", refused.Error.Text);
        await client.Call;
    }

    private static object Answer(object asked) => asked switch
    {
        LeaseCommands.Create => Reply.Done(new LeaseRecord("made", Labels.None, default, [])),
        _ => Reply.Done(),
    };

    private static object Refuse(object asked) => asked is TransferCommands.Transfer ? Reply.Refused<Nothing>(Error.NotFound("image \"a\"")) : Answer(asked);

    private Task<Empty> Transfer(ScriptedTree tree, IMessage source, IMessage destination, string progress = "")
    {
        SnapshotterNames snapshotters = new(new[] { "overlayfs", "native" }.ToFrozenSet());
        TransferTable table = new([new PushTransfer(_system), new ImportTransfer(_system, snapshotters), new ExportTransfer(_system)]);
        return new TransferService(tree.Tree, _streams, table).Transfer(
            new TransferRequest { Source = source.ToBareAny(), Destination = destination.ToBareAny(), Options = new TransferOptions { ProgressStream = progress } },
            FakeCall.In("default"));
    }
}
