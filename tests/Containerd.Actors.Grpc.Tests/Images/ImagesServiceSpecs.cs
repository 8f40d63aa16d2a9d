// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.GarbageCollection;
using Containerd.Actors.Core.Images;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Grpc.Images;
using Containerd.Actors.Grpc.Tests.Calls;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Values;
using Containerd.Services.Images.V1;
using Google.Protobuf.WellKnownTypes;
using WireDescriptor = Containerd.Types.Descriptor;

namespace Containerd.Actors.Grpc.Tests.Images;

public sealed class ImagesServiceSpecs
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly Digest Digest = Digest.Of([1]);
    private static readonly ImageRecord Redis = Named("redis");
    private static readonly GarbageRun Run = new(0, new Swept(0, 0), new Swept(0, 0), TimeSpan.Zero);

    private static readonly NamespaceState State = new("default")
    {
        Exists = true,
        Images = new NamespaceState("").Images.Add("redis", Redis).Add("alpine", Named("alpine")),
    };

    [Fact]
    public async Task An_image_is_had_by_name()
    {
        using var tree = new ScriptedTree(_ => Reply.Done(State));
        Image image = (await new ImagesService(tree.Tree).Get(new GetImageRequest { Name = "redis" }, FakeCall.In("default"))).Image;
        Assert.Equal(
            new Image
            {
                Name = "redis",
                Target = new WireDescriptor { MediaType = "type", Digest = Digest.ToString(), Size = 1 },
                CreatedAt = Timestamp.FromDateTimeOffset(Now),
                UpdatedAt = Timestamp.FromDateTimeOffset(Now),
            },
            image);
    }

    [Fact]
    public async Task A_missing_image_is_refused()
    {
        using var tree = new ScriptedTree(_ => Reply.Done(State));
        Assert.Equal("image \"x\": not found", await Refusal(
            new ImagesService(tree.Tree).Get(new GetImageRequest { Name = "x" }, FakeCall.In("default"))));
    }

    [Fact]
    public async Task A_call_needs_a_namespace()
    {
        using var tree = new ScriptedTree(_ => Reply.Done(State));
        Assert.Equal("namespace is required: failed precondition", await Refusal(
            new ImagesService(tree.Tree).Get(new GetImageRequest { Name = "x" }, new FakeCall())));
    }

    [Fact]
    public async Task Images_are_listed_by_name_and_filtered()
    {
        using var tree = new ScriptedTree(_ => Reply.Done(State));
        var service = new ImagesService(tree.Tree);
        Assert.Equal(["alpine", "redis"], await Names(new ListImagesRequest()));
        Assert.Equal(["redis"], await Names(new ListImagesRequest { Filters = { "name~=^r" } }));
        Assert.StartsWith("filters: parse error: ", await Refusal(
            service.List(new ListImagesRequest { Filters = { "name=" } }, FakeCall.In("default"))), StringComparison.Ordinal);

        async Task<IEnumerable<string>> Names(ListImagesRequest request) =>
            (await service.List(request, FakeCall.In("default"))).Images.Select(image => image.Name);
    }

    [Fact]
    public async Task Creating_hands_on_lease_and_source_date_epoch()
    {
        using var tree = new ScriptedTree(_ => Reply.Done(Redis));
        await new ImagesService(tree.Tree).Create(
            new CreateImageRequest
            {
                Image = new Image { Name = "redis", Target = new WireDescriptor { MediaType = "type", Digest = Digest.ToString(), Size = 1 } },
                SourceDateEpoch = Timestamp.FromDateTimeOffset(Now),
            },
            new FakeCall(("containerd-namespace", "default"), ("containerd-lease", "l")));
        var command = Assert.IsType<ImageCommands.Create>(Assert.Single(tree.Asked));
        Assert.Equal(("default", "redis", Digest, Now, "l"), (
            command.Namespace, command.Name, command.Target!.Digest, command.SourceDateEpoch, command.Caller.Lease));
    }

    [Fact]
    public async Task What_is_no_digest_is_refused()
    {
        using var tree = new ScriptedTree(_ => Reply.Done(Redis));
        Assert.Equal("Target.Digest \"nonsense\" invalid: invalid checksum digest format: invalid argument", await Refusal(new ImagesService(tree.Tree).Create(
            new CreateImageRequest { Image = new Image { Name = "redis", Target = new WireDescriptor { Digest = "nonsense" } } },
            FakeCall.In("default"))));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_synchronous_delete_waits_for_garbage_collection(bool sync)
    {
        using var tree = new ScriptedTree(asked => asked is GarbageCommands.Run ? Reply.Done(Run) : Reply.Done());
        await new ImagesService(tree.Tree).Delete(new DeleteImageRequest { Name = "redis", Sync = sync }, FakeCall.In("default"));
        Assert.IsType<ImageCommands.Delete>(tree.Asked.First());
        Assert.Equal(sync, tree.Asked.Last() is GarbageCommands.Run);
    }

    private static ImageRecord Named(string name) => new(name, new Descriptor("type", Digest, 1), Labels.None, Now, Now);

    private static async Task<string> Refusal(Task call) => (await Assert.ThrowsAsync<RefusedException>(() => call)).Error.Text;
}
