// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.GarbageCollection;
using Containerd.Actors.Core.Leases;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Grpc.Leases;
using Containerd.Actors.Grpc.Tests.Calls;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Values;
using Containerd.Services.Leases.V1;
using Google.Protobuf.WellKnownTypes;

namespace Containerd.Actors.Grpc.Tests.Leases;

public sealed class LeasesServiceSpecs
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly LeaseRecord One = new(
        "l", Labels.From([KeyValuePair.Create("k", "v")]), Now, [LeaseResources.Ingest("r"), LeaseResources.Image("a")]);

    private static readonly NamespaceState State = new("default") { Exists = true, Leases = new NamespaceState("").Leases.Add("l", One) };

    [Fact]
    public async Task A_lease_is_made()
    {
        using var tree = new ScriptedTree(_ => Reply.Done(One));
        Lease lease = (await new LeasesService(tree.Tree).Create(new CreateRequest { Labels = { ["k"] = "v" } }, FakeCall.In("default"))).Lease;
        Assert.Equal(new Lease { Id = "l", CreatedAt = Timestamp.FromDateTimeOffset(Now), Labels = { ["k"] = "v" } }, lease);
        Assert.Equal("", Assert.IsType<LeaseCommands.Create>(Assert.Single(tree.Asked)).Id);
    }

    [Theory]
    [InlineData("id==l", 1)]
    [InlineData("labels.k==v", 1)]
    [InlineData("id==other", 0)]
    public async Task Leases_are_filtered(string filter, int count)
    {
        using var tree = new ScriptedTree(_ => Reply.Done(State));
        ListResponse response = await new LeasesService(tree.Tree).List(new ListRequest { Filters = { filter } }, FakeCall.In("default"));
        Assert.Equal(count, response.Leases.Count);
    }

    [Fact]
    public async Task Resources_are_added_listed_and_deleted()
    {
        using var tree = new ScriptedTree(asked => asked is NamespaceQueries.GetState ? Reply.Done(State) : Reply.Done());
        var service = new LeasesService(tree.Tree);
        var resource = new Resource { Id = "a", Type = "images" };
        await service.AddResource(new AddResourceRequest { Id = "l", Resource = resource }, FakeCall.In("default"));
        await service.DeleteResource(new DeleteResourceRequest { Id = "l", Resource = resource }, FakeCall.In("default"));
        ListResourcesResponse listed = await service.ListResources(new ListResourcesRequest { Id = "l" }, FakeCall.In("default"));
        Assert.Equal(LeaseResources.Image("a"), Assert.IsType<LeaseCommands.AddResource>(tree.Asked.ElementAt(0)).Resource);
        Assert.Equal(LeaseResources.Image("a"), Assert.IsType<LeaseCommands.RemoveResource>(tree.Asked.ElementAt(1)).Resource);
        Assert.Equal(["images", "ingests"], listed.Resources.Select(each => each.Type));
        var refused = await Assert.ThrowsAsync<RefusedException>(
            () => service.ListResources(new ListResourcesRequest { Id = "x" }, FakeCall.In("default")));
        Assert.Equal("lease \"x\": not found", refused.Error.Text);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_synchronous_delete_waits_for_garbage_collection(bool sync)
    {
        using var tree = new ScriptedTree(asked => asked is GarbageCommands.Run
            ? Reply.Done(new GarbageRun(0, new Swept(0, 0), new Swept(0, 0), TimeSpan.Zero))
            : Reply.Done());
        await new LeasesService(tree.Tree).Delete(new DeleteRequest { Id = "l", Sync = sync }, FakeCall.In("default"));
        Assert.Equal(sync, tree.Asked.Last() is GarbageCommands.Run);
    }
}
