// SPDX-License-Identifier: Apache-2.0

using System.Collections.Frozen;
using Containerd.Actors.Grpc.Containers;
using Containerd.Actors.Grpc.Content;
using Containerd.Actors.Grpc.Diff;
using Containerd.Actors.Grpc.Events;
using Containerd.Actors.Grpc.Health;
using Containerd.Actors.Grpc.Images;
using Containerd.Actors.Grpc.Introspection;
using Containerd.Actors.Grpc.Leases;
using Containerd.Actors.Grpc.Mounts;
using Containerd.Actors.Grpc.Namespaces;
using Containerd.Actors.Grpc.Node;
using Containerd.Actors.Grpc.Runs;
using Containerd.Actors.Grpc.Sandboxes;
using Containerd.Actors.Grpc.Snapshots;
using Containerd.Actors.Grpc.Streaming;
using Containerd.Actors.Grpc.Tasks;
using Containerd.Actors.Grpc.Transfers;
using Containerd.Actors.Grpc.Version;
using Grpc.Core;

namespace Containerd.Actors.Daemon.Hosting;

/// <summary>Every service on the socket, each bound when it is first called.</summary>
/// <remarks>
/// Binding a service builds types for each of its methods; all of them at once took half of the time from the daemon's start to its first
/// answer. <see cref="Bind"/> does the rest when that has been given, so that later callers do not wait either.
/// </remarks>
internal sealed class ServiceRoutes
{
    // In the order in which they are bound: what the first clients after a start call comes first.
    private static readonly (string Name, Action<IEndpointRouteBuilder> Map)[] Services =
    [
        ("containerd.services.version.v1.Version", routes => routes.MapGrpcService<VersionService>()),
        ("grpc.health.v1.Health", routes => routes.MapGrpcService<HealthService>()),
        ("containerd.services.tasks.v1.Tasks", routes => routes.MapGrpcService<TasksService>()),
        ("containerd.services.containers.v1.Containers", routes => routes.MapGrpcService<ContainersService>()),
        ("containerd.services.events.v1.Events", routes => routes.MapGrpcService<EventsService>()),
        ("containerd.services.introspection.v1.Introspection", routes => routes.MapGrpcService<IntrospectionService>()),
        ("containerd.services.namespaces.v1.Namespaces", routes => routes.MapGrpcService<NamespacesService>()),
        ("containerd.services.images.v1.Images", routes => routes.MapGrpcService<ImagesService>()),
        ("containerd.services.content.v1.Content", routes => routes.MapGrpcService<ContentService>()),
        ("containerd.services.leases.v1.Leases", routes => routes.MapGrpcService<LeasesService>()),
        ("containerd.services.snapshots.v1.Snapshots", routes => routes.MapGrpcService<SnapshotsService>()),
        ("containerd.services.diff.v1.Diff", routes => routes.MapGrpcService<DiffService>()),
        ("containerd.actors.v1.Runs", routes => routes.MapGrpcService<RunsService>()),
        ("containerd.services.streaming.v1.Streaming", routes => routes.MapGrpcService<StreamingService>()),
        ("containerd.services.transfer.v1.Transfer", routes => routes.MapGrpcService<TransferService>()),
        ("containerd.services.sandbox.v1.Controller", routes => routes.MapGrpcService<SandboxControllerService>()),
        ("containerd.services.sandbox.v1.Store", routes => routes.MapGrpcService<SandboxStoreService>()),
        ("containerd.services.mounts.v1.Mounts", routes => routes.MapGrpcService<MountsService>()),
        ("containerd.actors.v1.Node", routes => routes.MapGrpcService<NodeService>()),
        ("containerd.actors.v1.Audit", routes => routes.MapGrpcService<AuditService>()),
    ];

    private readonly IServiceProvider _provider;
    private readonly FrozenDictionary<string, Lazy<FrozenDictionary<string, Endpoint>>> _bound;

    // What the services have in common while they are bound is not made for two at a time.
    private readonly Lock _binding = new();

    /// <summary>Binds nothing yet.</summary>
    /// <param name="provider">Where the services' parts come from.</param>
    public ServiceRoutes(IServiceProvider provider)
    {
        _provider = provider;
        _bound = Services.ToFrozenDictionary(
            service => service.Name,
            service => new Lazy<FrozenDictionary<string, Endpoint>>(() => EndpointsOf(service.Map)),
            StringComparer.Ordinal);
    }

    /// <summary>Names of the services, as clients call them.</summary>
    public static IEnumerable<string> Names => Services.Select(service => service.Name);

    /// <summary>The methods of a service by their paths, <c>/SERVICE/METHOD</c>; binds it.</summary>
    /// <exception cref="KeyNotFoundException">There is no such service.</exception>
    public FrozenDictionary<string, Endpoint> Of(string service) => _bound[service].Value;

    /// <summary>Binds every service that was not called yet.</summary>
    public void Bind()
    {
        foreach (string name in Names)
        {
            _ = Of(name);
        }
    }

    /// <summary>Takes a request to its method. What there is not is answered in the words of Go's server.</summary>
    /// <param name="context">The request.</param>
    public Task InvokeAsync(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        string path = context.Request.Path.Value ?? "";
        int slash = path.LastIndexOf('/');
        string service = slash > 1 ? path[1..slash] : "";
        if (context.Request.ContentType?.StartsWith("application/grpc", StringComparison.Ordinal) is not true)
        {
            context.Response.StatusCode = StatusCodes.Status415UnsupportedMediaType;
            return Task.CompletedTask;
        }

        if (!_bound.TryGetValue(service, out Lazy<FrozenDictionary<string, Endpoint>>? bound))
        {
            return Refuse(context, slash > 1 ? $"unknown service {service}" : $"malformed method name: \"{path}\"");
        }

        if (!bound.Value.TryGetValue(path, out Endpoint? endpoint))
        {
            return Refuse(context, $"unknown method {path[(slash + 1)..]} for service {service}");
        }

        context.SetEndpoint(endpoint);
        return endpoint.RequestDelegate!(context);
    }

    // A response without a body: its status is among its headers (gRPC over HTTP/2, "Trailers-Only").
    private static Task Refuse(HttpContext context, string message)
    {
        context.Response.ContentType = "application/grpc";
        context.Response.Headers["grpc-status"] = $"{(int)StatusCode.Unimplemented}";
        context.Response.Headers["grpc-message"] = Uri.EscapeDataString(message).Replace("%20", " ", StringComparison.Ordinal);
        return Task.CompletedTask;
    }

    private FrozenDictionary<string, Endpoint> EndpointsOf(Action<IEndpointRouteBuilder> map)
    {
        RouteTable table = new(_provider);
        lock (_binding)
        {
            map(table);
        }

        return table.DataSources.SelectMany(source => source.Endpoints)
            .OfType<RouteEndpoint>()
            // The others stand for methods and services that there are not.
            .Where(endpoint => endpoint.RoutePattern.Parameters.Count == 0)
            .ToFrozenDictionary(endpoint => endpoint.RoutePattern.RawText!, Endpoint (endpoint) => endpoint, StringComparer.Ordinal);
    }

    private sealed class RouteTable(IServiceProvider provider) : IEndpointRouteBuilder
    {
        public IServiceProvider ServiceProvider => provider;

        public ICollection<EndpointDataSource> DataSources { get; } = [];

        public IApplicationBuilder CreateApplicationBuilder() => new ApplicationBuilder(provider);
    }
}
