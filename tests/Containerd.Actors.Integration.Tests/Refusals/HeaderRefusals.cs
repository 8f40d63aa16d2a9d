// SPDX-License-Identifier: Apache-2.0

using Containerd.Health.V1;
using Containerd.Services.Images.V1;
using Containerd.Services.Introspection.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using VersionClient = Containerd.Services.Version.V1.Version.VersionClient;

namespace Containerd.Actors.Integration.Tests.Refusals;

/// <summary>What concerns every service: the namespace of a call, and the services that need none.</summary>
public sealed class HeaderRefusals(Face face) : IClassFixture<Face>
{
    private readonly Images.ImagesClient _images = new(face.Invoker);

    [SkippableTheory]
    [InlineData("containerd.services.containers.v1.Containers/List")]
    [InlineData("containerd.services.containers.v1.Containers/ListStream")]
    [InlineData("containerd.services.content.v1.Content/List")]
    [InlineData("containerd.services.content.v1.Content/Abort")]
    [InlineData("containerd.services.images.v1.Images/List")]
    [InlineData("containerd.services.leases.v1.Leases/List")]
    [InlineData("containerd.services.tasks.v1.Tasks/List")]
    public async Task A_call_without_a_namespace_is_refused(string rpc)
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        Status status = await face.EndAsync(rpc);
        Assert.Equal((StatusCode.FailedPrecondition, "namespace is required: failed precondition"), (status.StatusCode, status.Detail));
    }

    [SkippableTheory]
    [InlineData("bad name", "identifier \"bad name\" must match ^[A-Za-z0-9]+(?:[._-](?:[A-Za-z0-9]+))*$")]
    [InlineData("-x", "identifier \"-x\" must match ^[A-Za-z0-9]+(?:[._-](?:[A-Za-z0-9]+))*$")]
    public async Task A_namespace_that_is_no_name_is_refused(string ns, string why)
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        await Refusal.IsAsync(
            StatusCode.InvalidArgument,
            $"namespace validation: {why}: invalid argument",
            _images.ListAsync(new ListImagesRequest(), Face.In(ns)));
    }

    [SkippableFact]
    public async Task A_namespace_is_as_long_as_a_name_may_be()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        await _images.ListAsync(new ListImagesRequest(), Face.In(new string('a', 76)));
        await Refusal.IsAsync(
            StatusCode.InvalidArgument,
            $"namespace validation: identifier \"{new string('a', 77)}\" greater than maximum length (76 characters): invalid argument",
            _images.ListAsync(new ListImagesRequest(), Face.In(new string('a', 77))));
    }

    [SkippableTheory]
    [InlineData("containerd.services.version.v1.Version/Version")]
    [InlineData("containerd.services.introspection.v1.Introspection/Plugins")]
    [InlineData("containerd.services.introspection.v1.Introspection/Server")]
    [InlineData("containerd.services.namespaces.v1.Namespaces/List")]
    [InlineData("grpc.health.v1.Health/Check")]
    [InlineData("grpc.health.v1.Health/Watch")]
    public async Task What_concerns_the_whole_daemon_needs_no_namespace(string rpc)
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        Assert.Equal(StatusCode.OK, (await face.EndAsync(rpc)).StatusCode);
    }

    [SkippableFact]
    public async Task A_service_that_is_not_there_is_unimplemented()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        Assert.Equal(StatusCode.Unimplemented, (await face.EndAsync("containerd.services.nothing.v1.Nothing/Do")).StatusCode);
        Assert.Equal(StatusCode.Unimplemented, (await face.EndAsync("containerd.services.images.v1.Images/Paint")).StatusCode);
    }

    [SkippableFact]
    public async Task Health_is_told_of_the_daemon_and_of_no_other_service()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        Health.V1.Health.HealthClient health = new(face.Invoker);
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, (await health.CheckAsync(new HealthCheckRequest())).Status);
        RpcException refused = await Assert.ThrowsAsync<RpcException>(async () => await health.CheckAsync(new HealthCheckRequest { Service = "nothing" }));
        Assert.Equal((StatusCode.NotFound, "unknown service"), (refused.StatusCode, refused.Status.Detail));
        Assert.Equal([""], (await health.ListAsync(new HealthListRequest())).Statuses.Keys);
    }

    [SkippableFact]
    public async Task The_version_is_a_semantic_one()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        Assert.Matches(@"^v?\d+\.\d+\.\d+", (await new VersionClient(face.Invoker).VersionAsync(new Empty())).Version);
    }

    [SkippableFact]
    public async Task The_server_tells_who_it_is_the_same_every_time()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        Introspection.IntrospectionClient introspection = new(face.Invoker);
        ServerResponse first = await introspection.ServerAsync(new Empty());
        ServerResponse second = await introspection.ServerAsync(new Empty());
        Assert.True(Guid.TryParseExact(first.Uuid, "D", out _));
        Assert.Equal(first, second);
        Assert.True(first.Pid > 0 && first.Pidns > 0);
    }

    [SkippableFact]
    public async Task Plugins_are_filtered_by_type_and_id_and_by_nothing_else()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        Introspection.IntrospectionClient introspection = new(face.Invoker);
        PluginsResponse found = await introspection.PluginsAsync(
            new PluginsRequest { Filters = { "type==io.containerd.snapshotter.v1,id==overlayfs" } });
        Plugin overlay = Assert.Single(found.Plugins);
        Assert.Equal("overlayfs", overlay.Id);
        Assert.Contains("root", overlay.Exports.Keys);
        Assert.Empty((await introspection.PluginsAsync(new PluginsRequest { Filters = { "platforms" } })).Plugins);
        Assert.Empty((await introspection.PluginsAsync(new PluginsRequest { Filters = { "capabilities" } })).Plugins);
        await Refusal.MatchesAsync(
            StatusCode.InvalidArgument, "filters: parse error: ", introspection.PluginsAsync(new PluginsRequest { Filters = { "type=" } }));
    }

    [SkippableFact]
    public async Task A_plugin_that_is_not_there_is_not_found()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        await Refusal.IsAsync(
            StatusCode.NotFound,
            "plugin io.containerd.nothing.v1.x not found: not found",
            new Introspection.IntrospectionClient(face.Invoker).PluginInfoAsync(new PluginInfoRequest { Type = "io.containerd.nothing.v1", Id = "x" }));
    }
}
