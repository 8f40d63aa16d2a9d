// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Images;
using Containerd.Actors.Core.Leases;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Grpc.Calls;
using Containerd.Actors.Grpc.Streaming;
using Containerd.Actors.Grpc.Tests.Calls;
using Containerd.Actors.Grpc.Tests.Streaming;
using Containerd.Actors.Grpc.Transfers;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Values;
using Containerd.Services.Transfer.V1;
using Containerd.Types.Transfer;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Containerd.Actors.Grpc.Tests.Transfers;

public sealed class TransferServiceSpecs
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly Descriptor Target = new("type", Digest.Of([1]), 7);

    private readonly LiveStreams _streams = new();

    private static NamespaceState State { get; } = new("default")
    {
        Exists = true,
        Images = new NamespaceState("").Images.Add("redis", new ImageRecord("redis", Target, Labels.None, default, default)),
    };

    [Fact]
    public async Task A_pair_that_nobody_serves_is_unimplemented_in_containerds_words()
    {
        using ScriptedTree tree = new(Answer);
        RpcException refused = await Assert.ThrowsAsync<RpcException>(() => Transfer(tree, new OCIRegistry(), new ImageExportStream()));
        Assert.Equal(StatusCode.Unimplemented, refused.StatusCode);
        Assert.Equal(
            "method Transfer not implemented for containerd.types.transfer.OCIRegistry to containerd.types.transfer.ImageExportStream",
            refused.Status.Detail);
    }

    [Fact]
    public async Task A_tag_names_the_target_again_under_the_name_and_each_complete_reference()
    {
        using ScriptedTree tree = new(Answer);
        await Transfer(tree, new ImageStore { Name = "redis" }, new ImageStore
        {
            Name = "mine",
            Labels = { ["a"] = "b" },
            ExtraReferences =
            {
                new ImageReference { Name = "other" },
                new ImageReference { Name = "digested", AddDigest = true },
                new ImageReference { Name = "prefix", IsPrefix = true },
            },
        });
        ImageCommands.Create[] made = [.. tree.Asked.OfType<ImageCommands.Create>()];
        Assert.Equal(["mine", "other", $"digested@{Target.Digest}"], made.Select(create => create.Name));
        Assert.All(made, create => Assert.Equal(("b", Target), (create.Labels["a"], create.Target)));
    }

    [Fact]
    public async Task A_tag_that_exists_is_changed()
    {
        using ScriptedTree tree = new(Answer);
        await Transfer(tree, new ImageStore { Name = "redis" }, new ImageStore { Name = "taken" });
        Assert.Equal("taken", Assert.Single(tree.Asked.OfType<ImageCommands.Update>()).Name);
    }

    [Fact]
    public async Task A_tag_of_an_image_that_is_not_there_is_refused()
    {
        using ScriptedTree tree = new(Answer);
        Assert.Equal("image \"x\": not found", await Refusal(Transfer(tree, new ImageStore { Name = "x" }, new ImageStore { Name = "y" })));
    }

    [Fact]
    public async Task A_tag_without_a_name_is_refused()
    {
        using ScriptedTree tree = new(Answer);
        Assert.Equal("no image name provided: not found", await Refusal(Transfer(tree, new ImageStore { Name = "redis" }, new ImageStore())));
    }

    [Fact]
    public async Task Type_names_are_taken_with_and_without_a_prefix()
    {
        using ScriptedTree tree = new(Answer);
        Any prefixed = new() { TypeUrl = "types.containerd.io/containerd.types.transfer.ImageStore", Value = new ImageStore { Name = "redis" }.ToByteString() };
        await Service(tree).Transfer(
            new TransferRequest { Source = prefixed, Destination = new ImageStore { Name = "mine" }.ToBareAny() }, FakeCall.In("default"));
        Assert.Single(tree.Asked.OfType<ImageCommands.Create>());
    }

    [Fact]
    public async Task A_malformed_source_is_refused()
    {
        using ScriptedTree tree = new(Answer);
        Any broken = new() { TypeUrl = "containerd.types.transfer.ImageStore", Value = ByteString.CopyFrom(0xff) };
        Assert.Equal("malformed containerd.types.transfer.ImageStore: invalid argument", await Refusal(Service(tree).Transfer(
            new TransferRequest { Source = broken, Destination = new ImageStore { Name = "mine" }.ToBareAny() }, FakeCall.In("default"))));
    }

    [Fact]
    public async Task A_progress_stream_that_is_not_there_is_not_found()
    {
        using ScriptedTree tree = new(Answer);
        Assert.Equal("stream \"p\": not found", await Refusal(
            Transfer(tree, new ImageStore { Name = "redis" }, new ImageStore { Name = "mine" }, "p")));
    }

    [Fact]
    public async Task The_progress_stream_ends_with_the_operation_also_when_it_is_refused()
    {
        using ScriptedTree tree = new(Answer);
        using FakeClient client = await FakeClient.OpenAsync(_streams, tree.Tree, "p");
        await Refusal(Transfer(tree, new ImageStore { Name = "x" }, new ImageStore { Name = "mine" }, "p"));
        await client.Call.WaitAsync(Patience);
    }

    [Fact]
    public async Task Bytes_of_an_import_stream_come_back_on_an_export_stream()
    {
        using ScriptedTree tree = new(Answer);
        using FakeClient from = await FakeClient.OpenAsync(_streams, tree.Tree, "i");
        using FakeClient to = await FakeClient.OpenAsync(_streams, tree.Tree, "e");
        Task<Empty> echo = Transfer(tree, new ImageImportStream { Stream = "i" }, new ImageExportStream { Stream = "e" });
        from.Send(new Data { Data_ = ByteString.CopyFromUtf8("hello") });
        from.CloseSend();
        to.Send(new WindowUpdate { Update = 65536 });
        Assert.Equal("hello", (await to.ReceiveAsync(Data.Parser)).Data_.ToStringUtf8());
        await echo.WaitAsync(Patience);
        await Task.WhenAll(from.Call, to.Call).WaitAsync(Patience);
    }

    [Fact]
    public async Task An_operation_without_a_lease_runs_under_one_of_its_own_that_ends_with_it()
    {
        using ScriptedTree tree = new(Answer);
        TransferCall call = new("default", Caller.Policy("test"), tree.Tree, _streams, TransferProgress.None);
        await Assert.ThrowsAsync<RefusedException>(() => call.LeasedAsync(
            leased => throw new RefusedException(Error.Unknown(leased.Caller.Lease)), default));
        Assert.True(Assert.Single(tree.Asked.OfType<LeaseCommands.Create>()).Labels.ContainsKey("containerd.io/gc.expire"));
        Assert.Equal("made", Assert.Single(tree.Asked.OfType<LeaseCommands.Delete>()).Id);
    }

    [Fact]
    public async Task An_operation_with_a_lease_leaves_it_as_it_is()
    {
        using ScriptedTree tree = new(Answer);
        TransferCall call = new("default", Caller.Policy("test") with { Lease = "mine" }, tree.Tree, _streams, TransferProgress.None);
        string seen = "";
        await call.LeasedAsync(leased => Task.FromResult(seen = leased.Caller.Lease), default);
        Assert.Equal("mine", seen);
        Assert.Empty(tree.Asked);
    }

    private static object Answer(object asked) => asked switch
    {
        ImageCommands.Create { Name: "taken" } => Reply.Refused<ImageRecord>(Error.AlreadyExists("image \"taken\"")),
        ImageCommands.Create create => Reply.Done(new ImageRecord(create.Name, create.Target!, create.Labels, default, default)),
        ImageCommands.Update update => Reply.Done(new ImageRecord(update.Name, update.Target!, update.Labels, default, default)),
        LeaseCommands.Create => Reply.Done(new LeaseRecord("made", Labels.None, default, [])),
        LeaseCommands.Delete => Reply.Done(),
        _ => Reply.Done(State),
    };

    private Task<Empty> Transfer(ScriptedTree tree, IMessage source, IMessage destination, string progress = "") => Service(tree).Transfer(
        new TransferRequest
        {
            Source = source.ToBareAny(),
            Destination = destination.ToBareAny(),
            Options = new TransferOptions { ProgressStream = progress },
        },
        FakeCall.In("default"));

    private TransferService Service(ScriptedTree tree) => new(tree.Tree, _streams, new TransferTable([new TagTransfer(), new EchoTransfer()]));

    private static async Task<string> Refusal(Task call) => (await Assert.ThrowsAsync<RefusedException>(() => call)).Error.Text;
}
