// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Grpc.Namespaces;
using Containerd.Actors.Grpc.Tests.Calls;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Values;
using Containerd.Services.Namespaces.V1;
using Google.Protobuf.WellKnownTypes;

namespace Containerd.Actors.Grpc.Tests.Namespaces;

public sealed class NamespacesServiceSpecs
{
    private static readonly NamespaceState One = new("a") { Exists = true, Labels = Labels.From([KeyValuePair.Create("k", "v")]) };

    [Fact]
    public async Task A_namespace_that_does_not_exist_has_no_labels()
    {
        using var tree = new ScriptedTree(_ => Reply.Done(new NamespaceState("none")));
        GetNamespaceResponse response = await new NamespacesService(tree.Tree).Get(new GetNamespaceRequest { Name = "none" }, new FakeCall());
        Assert.Equal(new Namespace { Name = "none" }, response.Namespace);
    }

    [Fact]
    public async Task All_are_listed()
    {
        using var tree = new ScriptedTree(_ => Reply.Done(ImmutableArray.Create(One)));
        ListNamespacesResponse response = await new NamespacesService(tree.Tree).List(new ListNamespacesRequest(), new FakeCall());
        Assert.Equal([new Namespace { Name = "a", Labels = { ["k"] = "v" } }], response.Namespaces);
    }

    [Fact]
    public async Task Creating_names_the_caller()
    {
        using var tree = new ScriptedTree(_ => Reply.Done(One));
        await new NamespacesService(tree.Tree).Create(
            new CreateNamespaceRequest { Namespace = new Namespace { Name = "a", Labels = { ["k"] = "v", ["empty"] = "" } } }, new FakeCall());
        var command = Assert.IsType<NamespaceCommands.Create>(Assert.Single(tree.Asked));
        Assert.Equal(("a", new Caller(FakeCall.Root)), (command.Namespace, command.Caller));
        Assert.Equal(["k"], command.Labels.Keys);
    }

    [Fact]
    public async Task Updating_hands_on_the_mask()
    {
        using var tree = new ScriptedTree(_ => Reply.Done(One));
        await new NamespacesService(tree.Tree).Update(
            new UpdateNamespaceRequest { Namespace = new Namespace { Name = "a" }, UpdateMask = new FieldMask { Paths = { "labels.k" } } },
            new FakeCall());
        Assert.Equal<string>(["labels.k"], Assert.IsType<NamespaceCommands.Update>(Assert.Single(tree.Asked)).Mask);
    }

    [Fact]
    public async Task A_refusal_is_thrown()
    {
        using var tree = new ScriptedTree(_ => Reply.Refused<Nothing>(Error.NotFound("namespace \"a\"")));
        var refused = await Assert.ThrowsAsync<RefusedException>(
            () => new NamespacesService(tree.Tree).Delete(new DeleteNamespaceRequest { Name = "a" }, new FakeCall()));
        Assert.Equal("namespace \"a\": not found", refused.Error.Text);
    }
}
