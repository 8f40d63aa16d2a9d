// SPDX-License-Identifier: Apache-2.0

using System.Reflection;
using Containerd.Actors.Daemon.Hosting;
using Containerd.Actors.Grpc.Events;
using Google.Protobuf.Reflection;
using Grpc.AspNetCore.Server;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using ServiceDescriptor = Google.Protobuf.Reflection.ServiceDescriptor;

namespace Containerd.Actors.Architecture.Tests.Compatibility;

/// <summary>Every RPC that a client of containerd may call, and whether the daemon has something behind it.</summary>
internal static class ServedRpcs
{
    // Spoken by shims on sockets of their own.
    private static readonly string[] OfShims = ["containerd.runtime.sandbox.v1.Sandbox", "containerd.task.v2.Task", "containerd.task.v3.Task"];

    /// <summary>The services as the daemon binds them.</summary>
    public static ServiceRoutes Routes { get; } = Bindable();

    /// <summary>The services by full name, each with its RPCs in the order of its proto.</summary>
    public static IEnumerable<ServiceDescriptor> Services() => Product.Compiled("Api").GetTypes()
        .Select(type => type.GetProperty("Descriptor", BindingFlags.Public | BindingFlags.Static))
        .Where(property => property?.PropertyType == typeof(FileDescriptor))
        .SelectMany(property => ((FileDescriptor)property!.GetValue(null)!).Services)
        .Where(service => !OfShims.Contains(service.FullName))
        .OrderBy(service => service.FullName, StringComparer.Ordinal);

    /// <summary>What the daemon maps and has written, as <c>service/rpc</c>.</summary>
    public static HashSet<string> Find()
    {
        return [
            .. ServiceRoutes.Names.SelectMany(name => Routes.Of(name).Values)
                .Select(endpoint => endpoint.Metadata.GetMetadata<GrpcMethodMetadata>())
                .OfType<GrpcMethodMetadata>()
                .Where(IsWritten)
                .Select(method => $"{method.Method.ServiceName}/{method.Method.Name}"),
            .. TtrpcEvents.Handlers(null!).Methods,
        ];
    }

    private static ServiceRoutes Bindable()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Services.AddGrpc();
        return new ServiceRoutes(builder.Build().Services);
    }

    // A method that a service does not override is the generated one, which answers Unimplemented.
    private static bool IsWritten(GrpcMethodMetadata method) =>
        method.ServiceType.GetMethods().Any(found => found.Name == method.Method.Name && found.DeclaringType == method.ServiceType);
}
