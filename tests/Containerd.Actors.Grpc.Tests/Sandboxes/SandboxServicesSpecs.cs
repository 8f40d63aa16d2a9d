// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Grpc.Sandboxes;
using Containerd.Actors.Grpc.Tests.Calls;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Sandboxes;
using Containerd.Actors.Protocol.Values;
using Containerd.Services.Sandbox.V1;
using Containerd.Types;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Containerd.Actors.Grpc.Tests.Sandboxes;

public sealed class SandboxServicesSpecs
{
    private const long GoZeroTime = -62135596800;
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private static readonly Sandbox Wire = new()
    {
        SandboxId = "pod",
        Runtime = new Sandbox.Types.Runtime { Name = "io.containerd.test.v1", Options = Any("o") },
        Spec = Any("s"),
        Labels = { ["k"] = "v" },
        Extensions = { ["e"] = Any("x") },
        Sandboxer = "shim",
    };

    [Fact]
    public async Task A_record_is_the_same_behind_the_tree_and_back()
    {
        using var tree = new ScriptedTree(asked => Reply.Done(((SandboxCommands.Create)asked).Sandbox with { CreatedAt = Now, UpdatedAt = Now }));
        StoreCreateResponse response = await new SandboxStoreService(tree.Tree).Create(new StoreCreateRequest { Sandbox = Wire }, FakeCall.In("default"));
        Sandbox expected = Wire.Clone();
        expected.CreatedAt = expected.UpdatedAt = Timestamp.FromDateTimeOffset(Now);
        Assert.Equal(expected, response.Sandbox);
    }

    [Theory]
    [InlineData("id==pod", 1)]
    [InlineData("labels.k==v", 1)]
    [InlineData("labels.k==other", 0)]
    [InlineData("id~=\"^po\"", 1)]
    public async Task Records_are_filtered(string filter, int count)
    {
        SandboxRecord record = new("pod") { Labels = Labels.From([KeyValuePair.Create("k", "v")]), CreatedAt = Now, UpdatedAt = Now };
        using var tree = new ScriptedTree(_ => Reply.Done<ImmutableArray<SandboxRecord>>([record]));
        StoreListResponse response = await new SandboxStoreService(tree.Tree).List(new StoreListRequest { Filters = { filter } }, FakeCall.In("default"));
        Assert.Equal(count, response.List.Count);
    }

    [Fact]
    public async Task A_filter_that_is_none_is_refused_as_an_argument()
    {
        using var tree = new ScriptedTree(_ => Reply.Done(ImmutableArray<SandboxRecord>.Empty));
        RefusedException refused = await Assert.ThrowsAsync<RefusedException>(
            () => new SandboxStoreService(tree.Tree).List(new StoreListRequest { Filters = { "id==" } }, FakeCall.In("default")));
        Assert.Equal(ErrorKind.InvalidArgument, refused.Error.Kind);
    }

    [Fact]
    public async Task The_fields_of_an_update_are_its_mask()
    {
        using var tree = new ScriptedTree(asked => Reply.Done(((SandboxCommands.Update)asked).Sandbox with { CreatedAt = Now, UpdatedAt = Now }));
        await new SandboxStoreService(tree.Tree).Update(new StoreUpdateRequest { Sandbox = Wire, Fields = { "labels.k", "spec" } }, FakeCall.In("default"));
        Assert.Equal("labels.k,spec", string.Join(',', Assert.IsType<SandboxCommands.Update>(Assert.Single(tree.Asked)).Mask));
    }

    [Fact]
    public async Task A_sandbox_is_made_with_all_that_its_shim_needs()
    {
        using var tree = new ScriptedTree(_ => Reply.Done());
        ControllerCreateResponse response = await new SandboxControllerService(tree.Tree).Create(
            new ControllerCreateRequest
            {
                SandboxId = "pod",
                Sandboxer = "shim",
                Sandbox = Wire,
                NetnsPath = "/run/netns/pod",
                Options = Any("config"),
                Annotations = { ["a"] = "1" },
                Rootfs = { new Mount { Type = "bind", Source = "/r", Options = { "ro" } } },
            },
            FakeCall.In("default"));
        Assert.Equal("pod", response.SandboxId);
        SandboxControl.Create create = Assert.IsType<SandboxControl.Create>(Assert.Single(tree.Asked));
        Assert.Equal(("shim", "/run/netns/pod", "config", "1"), (create.Sandboxer, create.NetworkNamespace, create.Options!.TypeUrl, create.Annotations["a"]));
        Assert.Equal(("bind", "/r"), (create.Rootfs.Single().Type, create.Rootfs.Single().Source));
        Assert.Equal("io.containerd.test.v1", create.Sandbox!.RuntimeName);
    }

    [Fact]
    public async Task Times_that_are_not_yet_are_gos_zero_time()
    {
        using var tree = new ScriptedTree(_ => Reply.Done(new SandboxStatus("pod") { State = "SANDBOX_READY", CreatedAt = Now, Address = "ttrpc+unix:///s", Version = 3 }));
        ControllerStatusResponse status = await new SandboxControllerService(tree.Tree).Status(
            new ControllerStatusRequest { SandboxId = "pod", Sandboxer = "shim" }, FakeCall.In("default"));
        Assert.Equal(("SANDBOX_READY", "ttrpc+unix:///s", 3u, GoZeroTime), (status.State, status.Address, status.Version, status.ExitedAt.Seconds));
        Assert.NotNull(status.Extra);
    }

    [Fact]
    public async Task Every_other_request_reaches_the_controller_it_names()
    {
        using var tree = new ScriptedTree(asked => asked switch
        {
            SandboxControl.Start => Reply.Done(new SandboxStart(7, Now, null)),
            SandboxControl.Wait => Reply.Done(new SandboxExit(3, Now)),
            SandboxControl.Platform => Reply.Done(new SandboxPlatform("linux", "arm64", "v8")),
            SandboxControl.Metrics => Reply.Done(new SandboxMetric("pod", Now, new AnyValue("m", new byte[] { 1 }))),
            _ => Reply.Done(),
        });
        var service = new SandboxControllerService(tree.Tree);
        Assert.Equal(7u, (await service.Start(new ControllerStartRequest { SandboxId = "pod", Sandboxer = "shim" }, FakeCall.In("default"))).Pid);
        Assert.Equal(3u, (await service.Wait(new ControllerWaitRequest { SandboxId = "pod", Sandboxer = "shim" }, FakeCall.In("default"))).ExitStatus);
        Assert.Equal(
            new Platform { Os = "linux", Architecture = "arm64", Variant = "v8" },
            (await service.Platform(new ControllerPlatformRequest { SandboxId = "pod", Sandboxer = "shim" }, FakeCall.In("default"))).Platform);
        Assert.Equal("m", (await service.Metrics(new ControllerMetricsRequest { SandboxId = "pod", Sandboxer = "shim" }, FakeCall.In("default"))).Metrics.Data.TypeUrl);
        await service.Stop(new ControllerStopRequest { SandboxId = "pod", Sandboxer = "shim", TimeoutSecs = 9 }, FakeCall.In("default"));
        await service.Shutdown(new ControllerShutdownRequest { SandboxId = "pod", Sandboxer = "shim" }, FakeCall.In("default"));
        await service.Update(new ControllerUpdateRequest { SandboxId = "pod", Sandboxer = "shim", Sandbox = Wire }, FakeCall.In("default"));
        Assert.All(tree.Asked, asked => Assert.Equal(("default", "pod", "shim"), Target((IForSandboxer)asked)));
        Assert.Equal(9u, tree.Asked.OfType<SandboxControl.Stop>().Single().TimeoutSeconds);
    }

    [Fact]
    public async Task An_update_of_nothing_is_refused()
    {
        using var tree = new ScriptedTree(_ => Reply.Done());
        RefusedException refused = await Assert.ThrowsAsync<RefusedException>(() => new SandboxControllerService(tree.Tree).Update(
            new ControllerUpdateRequest { SandboxId = "pod", Sandboxer = "shim" }, FakeCall.In("default")));
        Assert.Equal("sandbox can not be nil", refused.Error.Text);
    }

    private static (string Namespace, string Id, string Sandboxer) Target(IForSandboxer request) => (request.Namespace, request.SandboxId, request.Sandboxer);

    private static Any Any(string name) => new() { TypeUrl = name, Value = ByteString.CopyFromUtf8(name) };
}
