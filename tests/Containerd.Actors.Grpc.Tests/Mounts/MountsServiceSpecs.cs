// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Grpc.Mounts;
using Containerd.Actors.Grpc.Tests.Calls;
using Containerd.Actors.Grpc.Tests.Events;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Values;
using Containerd.Services.Mounts.V1;
using Google.Protobuf.WellKnownTypes;

namespace Containerd.Actors.Grpc.Tests.Mounts;

public sealed class MountsServiceSpecs
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly Activation One = new(
        "m",
        7,
        [new Core.Mounts.ActiveMount(new Mount("erofs", "/layer", "", ["ro"]), "/t/7/0", Now)],
        [new Mount("overlay", "overlay", "sub", ["lowerdir=/t/7/0"])],
        Labels.From([KeyValuePair.Create("k", "v")]),
        "",
        Now);

    [Fact]
    public async Task An_activation_is_asked_for_under_the_lease_of_the_call_and_told_whole()
    {
        using var tree = new ScriptedTree(_ => Reply.Done(One));
        ActivateRequest request = new()
        {
            Name = "m", Temporary = true, Labels = { ["k"] = "v" }, Mounts = { new Types.Mount { Type = "erofs", Source = "/layer", Target = "t", Options = { "ro" } } },
        };
        Types.ActivationInfo info = (await new MountsService(tree.Tree).Activate(
            request, new FakeCall(("containerd-namespace", "default"), ("containerd-lease", "l")))).Info;

        var asked = Assert.IsType<MountCommands.Activate>(Assert.Single(tree.Asked));
        Assert.Equal(("default", "m", true, "l"), (asked.Namespace, asked.Name, asked.IsTemporary, asked.By.Lease));
        Mount mount = Assert.Single(asked.Mounts);
        Assert.Equal(("erofs", "/layer", "t", "ro"), (mount.Type, mount.Source, mount.Target, Assert.Single(mount.Options)));
        Assert.Equal("v", asked.Labels["k"]);
        Assert.Equal(Wire, info);
    }

    [Fact]
    public async Task One_and_all_are_told_and_filters_are_passed_over()
    {
        using var tree = new ScriptedTree(asked => asked is MountCommands.List ? Reply.Done<ImmutableArray<Activation>>([One, One]) : Reply.Done(One));
        MountsService service = new(tree.Tree);
        Assert.Equal(Wire, (await service.Info(new InfoRequest { Name = "m" }, FakeCall.In("default"))).Info);
        StreamOf<ListMessage> stream = new();
        await service.List(new ListRequest { Filters = { "no filter at all" } }, stream, FakeCall.In("default"));
        Assert.Equal([Wire, Wire], (await stream.TakeAsync(2)).Select(message => message.Info));
    }

    [Fact]
    public async Task A_deactivation_is_answered_with_nothing()
    {
        using var tree = new ScriptedTree(_ => Reply.Done());
        Assert.Equal(new Empty(), await new MountsService(tree.Tree).Deactivate(new DeactivateRequest { Name = "m" }, FakeCall.In("default")));
        Assert.Equal("m", Assert.IsType<MountCommands.Deactivate>(Assert.Single(tree.Asked)).Name);
    }

    [Fact]
    public async Task An_update_is_not_implemented_and_a_call_without_a_namespace_is_refused()
    {
        using var tree = new ScriptedTree(_ => Reply.Done(One));
        MountsService service = new(tree.Tree);
        RefusedException update = await Assert.ThrowsAsync<RefusedException>(() => service.Update(new UpdateRequest(), FakeCall.In("default")));
        Assert.Equal((ErrorKind.NotImplemented, "not implemented"), (update.Error.Kind, update.Error.Text));
        RefusedException nowhere = await Assert.ThrowsAsync<RefusedException>(() => service.Info(new InfoRequest(), new FakeCall()));
        Assert.Equal("namespace is required: failed precondition", nowhere.Error.Text);
        Assert.Empty(tree.Asked);
    }

    [Theory]
    [InlineData(ErrorKind.NotImplemented, "not implemented")]
    [InlineData(ErrorKind.AlreadyExists, "mount \"m\"")]
    [InlineData(ErrorKind.NotFound, "lease does not exist")]
    public async Task Refusals_of_the_tree_leave_as_they_are(ErrorKind kind, string message)
    {
        using var tree = new ScriptedTree(_ => Reply.Refused<Activation>(new Error(kind, message)));
        RefusedException refused = await Assert.ThrowsAsync<RefusedException>(
            () => new MountsService(tree.Tree).Activate(new ActivateRequest { Name = "m" }, FakeCall.In("default")));
        Assert.Equal(new Error(kind, message), refused.Error);
    }

    private static Types.ActivationInfo Wire => new()
    {
        Name = "m",
        Active =
        {
            new Types.ActiveMount
            {
                Mount = new Types.Mount { Type = "erofs", Source = "/layer", Options = { "ro" } },
                MountPoint = "/t/7/0",
                MountedAt = Timestamp.FromDateTimeOffset(Now),
            },
        },
        System = { new Types.Mount { Type = "overlay", Source = "overlay", Target = "sub", Options = { "lowerdir=/t/7/0" } } },
        Labels = { ["k"] = "v" },
    };
}
