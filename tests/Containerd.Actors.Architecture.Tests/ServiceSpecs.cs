// SPDX-License-Identifier: Apache-2.0

using System.Reflection;
using Google.Protobuf.Reflection;

namespace Containerd.Actors.Architecture.Tests;

public sealed class ServiceSpecs
{
    [Fact]
    public void The_protos_describe_containerds_services_and_ours() => Assert.Equal(
        [
            "containerd.actors.v1.Audit",
            "containerd.actors.v1.Node",
            "containerd.actors.v1.Runs",
            "containerd.runtime.sandbox.v1.Sandbox",
            "containerd.services.containers.v1.Containers",
            "containerd.services.content.v1.Content",
            "containerd.services.diff.v1.Diff",
            "containerd.services.events.ttrpc.v1.Events",
            "containerd.services.events.v1.Events",
            "containerd.services.images.v1.Images",
            "containerd.services.introspection.v1.Introspection",
            "containerd.services.leases.v1.Leases",
            "containerd.services.mounts.v1.Mounts",
            "containerd.services.namespaces.v1.Namespaces",
            "containerd.services.sandbox.v1.Controller",
            "containerd.services.sandbox.v1.Store",
            "containerd.services.snapshots.v1.Snapshots",
            "containerd.services.streaming.v1.Streaming",
            "containerd.services.tasks.v1.Tasks",
            "containerd.services.transfer.v1.Transfer",
            "containerd.services.version.v1.Version",
            "containerd.task.v2.Task",
            "containerd.task.v3.Task",
            "grpc.health.v1.Health",
            "runtime.v1.ImageService",
            "runtime.v1.RuntimeService",
        ],
        Files().SelectMany(file => file.Services).Select(service => service.FullName).Order(StringComparer.Ordinal));

    [Fact]
    public void Every_proto_in_the_tree_is_compiled()
    {
        IEnumerable<string> written = Repository.Files(Path.Combine("src", "Containerd.Actors.Api", "Protos"), ".proto").Select(file => Path.GetFileName(file)!);
        Assert.Empty(written.Except(Files().Select(file => Path.GetFileName(file.Name)!)));
    }

    // A generated file has one class whose static property is the description of its proto.
    private static IEnumerable<FileDescriptor> Files() => Product.Compiled("Api").GetTypes()
        .Select(type => type.GetProperty("Descriptor", BindingFlags.Public | BindingFlags.Static))
        .Where(property => property?.PropertyType == typeof(FileDescriptor))
        .Select(property => (FileDescriptor)property!.GetValue(null)!);
}
