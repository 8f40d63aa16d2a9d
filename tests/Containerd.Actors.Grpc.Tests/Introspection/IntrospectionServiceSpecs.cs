// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Grpc.Introspection;
using Containerd.Actors.Grpc.Tests.Calls;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Runtimes;
using Containerd.Actors.Protocol.Values;
using Containerd.Services.Introspection.V1;
using Containerd.Types;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Containerd.Actors.Grpc.Tests.Introspection;

public sealed class IntrospectionServiceSpecs
{
    private static readonly ImmutableArray<PluginFacts> Known =
    [
        new("io.containerd.runtime.v2", "task") { Requires = ["io.containerd.event.v1"], IsOfPlatform = true },
        new("io.containerd.snapshotter.v1", "overlayfs")
        {
            Capabilities = ["rebase"], Exports = ImmutableDictionary<string, string>.Empty.Add("root", "/r"), InitError = "no overlay: skip plugin",
        },
        new("io.containerd.monitor.container.v1", "restart") { Capabilities = ["no", "always"] },
    ];

    private readonly FakeRuntimes _runtimes = new();

    [Theory]
    [InlineData("", 3)]
    [InlineData("type==io.containerd.runtime.v2", 1)]
    [InlineData("id==restart", 1)]
    [InlineData("type~=|^io.containerd.snapshotter|,id==overlayfs", 1)]
    [InlineData("platforms", 0)]
    public async Task Plugins_are_filtered_by_type_and_id(string filter, int count) => Assert.Equal(count, (await Service().Plugins(
        new PluginsRequest { Filters = { filter.Length == 0 ? [] : [filter] } }, FakeCall.In("default"))).Plugins.Count);

    [Fact]
    public async Task A_plugin_tells_what_it_is_built_on_where_it_runs_what_it_can_and_why_it_does_not_work()
    {
        PluginsResponse response = await Service().Plugins(new PluginsRequest(), FakeCall.In("default"));
        Plugin runtime = response.Plugins[0];
        Assert.Equal(["io.containerd.event.v1"], runtime.Requires);
        Assert.Equal("linux", Assert.Single(runtime.Platforms).Os);
        Assert.Null(runtime.InitErr);
        Plugin snapshotter = response.Plugins[1];
        Assert.Empty(snapshotter.Platforms);
        Assert.Equal(("rebase", "/r"), (snapshotter.Capabilities.Single(), snapshotter.Exports["root"]));
        Assert.Equal(((int)StatusCode.Unknown, "no overlay: skip plugin"), (snapshotter.InitErr.Code, snapshotter.InitErr.Message));
    }

    [Fact]
    public async Task The_runtime_plugin_tells_what_a_runtime_says_of_itself()
    {
        RuntimeInfo info = new() { Name = "io.containerd.runc.v2" };
        _runtimes.Info = info;
        PluginInfoResponse response = await Service().PluginInfo(
            new PluginInfoRequest
            {
                Type = "io.containerd.runtime.v2", Id = "task", Options = Any(new RuntimeRequest { RuntimePath = "kata", Options = new Any { TypeUrl = "o" } }),
            },
            FakeCall.In("default"));
        Assert.Equal(("kata", "o"), (_runtimes.Asked, _runtimes.Options?.TypeUrl));
        Assert.Equal("containerd.types.RuntimeInfo", response.Extra.TypeUrl);
        Assert.Equal(info, RuntimeInfo.Parser.ParseFrom(response.Extra.Value));
    }

    [Fact]
    public async Task Without_options_no_runtime_is_asked()
    {
        PluginInfoResponse response = await Service().PluginInfo(
            new PluginInfoRequest { Type = "io.containerd.runtime.v2", Id = "task" }, FakeCall.In("default"));
        Assert.Equal("task", response.Plugin.Id);
        Assert.Null(response.Extra);
        Assert.Null(_runtimes.Asked);
    }

    [Theory]
    [InlineData("io.containerd.runtime.v2", "none", "", "plugin io.containerd.runtime.v2.none not found: not found")]
    [InlineData("io.containerd.runtime.v2", "task", "google.protobuf.Empty", "unknown request type google.protobuf.Empty: not implemented")]
    public async Task What_is_not_there_or_not_understood_is_refused(string type, string id, string options, string text)
    {
        PluginInfoRequest request = new() { Type = type, Id = id, Options = options.Length == 0 ? null : new Any { TypeUrl = options } };
        RefusedException refused = await Assert.ThrowsAsync<RefusedException>(() => Service().PluginInfo(request, FakeCall.In("default")));
        Assert.Equal(text, refused.Error.Text);
    }

    [Fact]
    public async Task The_server_tells_who_it_is_and_warns_of_nothing()
    {
        ServerResponse server = await Service().Server(new Empty(), FakeCall.In("default"));
        Assert.Equal(("uuid", 7ul, 9ul), (server.Uuid, server.Pid, server.Pidns));
        Assert.Empty(server.Deprecations);
    }

    private IntrospectionService Service() => new(new NodeFacts("v1", "", "uuid", 7, 9, Known), _runtimes);

    private static Any Any(IMessage message) => new() { TypeUrl = message.Descriptor.FullName, Value = message.ToByteString() };

    private sealed class FakeRuntimes : IRuntimes
    {
        public RuntimeInfo Info { get; set; } = new();

        public string? Asked { get; private set; }

        public AnyValue? Options { get; private set; }

        public ImmutableArray<RuntimeHandler> Handlers => [];

        public Task<AnyValue> GetInfoAsync(string runtime, AnyValue? options, CancellationToken cancellationToken)
        {
            (Asked, Options) = (runtime, options);
            return Task.FromResult(new AnyValue(RuntimeInfo.Descriptor.FullName, Info.ToByteArray()));
        }
    }
}
