// SPDX-License-Identifier: Apache-2.0

using System.Net.Sockets;
using Containerd.Node.V1;
using Containerd.Services.Containers.V1;
using Containerd.Services.Content.V1;
using Containerd.Services.Diff.V1;
using Containerd.Services.Images.V1;
using Containerd.Services.Introspection.V1;
using Containerd.Services.Leases.V1;
using Containerd.Services.Mounts.V1;
using Containerd.Services.Sandbox.V1;
using Containerd.Services.Snapshots.V1;
using Containerd.Services.Streaming.V1;
using Containerd.Services.Tasks.V1;
using Containerd.Services.Transfer.V1;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using VersionClient = Containerd.Services.Version.V1.Version.VersionClient;

namespace Containerd.Actors.Client.Connections;

/// <summary>A connection to a daemon that speaks containerd's gRPC API on a unix socket.</summary>
/// <remarks>
/// Every call carries the namespace, and the lease when there is one, as metadata. Connecting is lazy: a daemon that does not run
/// is noticed by the first call, which fails with <see cref="StatusCode.Unavailable"/>. Safe for concurrent use.
/// </remarks>
public sealed class ContainerdConnection : IDisposable
{
    /// <summary>Where the daemon listens unless told otherwise.</summary>
    public const string DefaultAddress = "/run/containerd-actors/containerd.sock";

    /// <summary>The namespace that is used unless told otherwise.</summary>
    public const string DefaultNamespace = "default";

    /// <summary>containerd's bound on one message, both ways, in bytes.</summary>
    public const int MessageBytesMax = 16 * 1024 * 1024;

    private readonly GrpcChannel _channel;
    private readonly bool _ownsChannel;

    private ContainerdConnection(GrpcChannel channel, bool ownsChannel, string address, string name, string? lease)
    {
        _channel = channel;
        _ownsChannel = ownsChannel;
        Address = address;
        Namespace = name;
        Lease = lease;
        CallInvoker invoker = channel.Intercept(new MetadataInterceptor(name, lease));
        Containers = new Containers.ContainersClient(invoker);
        Content = new Content.ContentClient(invoker);
        Diff = new Diff.DiffClient(invoker);
        Images = new Images.ImagesClient(invoker);
        Mounts = new Mounts.MountsClient(invoker);
        Snapshots = new Snapshots.SnapshotsClient(invoker);
        Tasks = new Tasks.TasksClient(invoker);
        Sandboxes = new Store.StoreClient(invoker);
        SandboxControllers = new Controller.ControllerClient(invoker);
        Leases = new Leases.LeasesClient(invoker);
        Events = new Services.Events.V1.Events.EventsClient(invoker);
        Streaming = new Streaming.StreamingClient(invoker);
        Transfer = new Transfer.TransferClient(invoker);
        Introspection = new Introspection.IntrospectionClient(invoker);
        Version = new VersionClient(invoker);
        Node = new Node.V1.Node.NodeClient(invoker);
        Audit = new Audit.AuditClient(invoker);
        Runs = new Runs.V1.Runs.RunsClient(invoker);
    }

    /// <summary>Path of the socket.</summary>
    public string Address { get; }

    /// <summary>The containerd namespace of every call.</summary>
    public string Namespace { get; }

    /// <summary>The lease that every call is made under; null for none.</summary>
    public string? Lease { get; }

    /// <summary>containerd.services.containers.v1.</summary>
    public Containers.ContainersClient Containers { get; }

    /// <summary>containerd.services.content.v1.</summary>
    public Content.ContentClient Content { get; }

    /// <summary>containerd.services.diff.v1.</summary>
    public Diff.DiffClient Diff { get; }

    /// <summary>containerd.services.images.v1.</summary>
    public Images.ImagesClient Images { get; }

    /// <summary>containerd.services.mounts.v1.</summary>
    public Mounts.MountsClient Mounts { get; }

    /// <summary>containerd.services.snapshots.v1.</summary>
    public Snapshots.SnapshotsClient Snapshots { get; }

    /// <summary>containerd.services.tasks.v1.</summary>
    public Tasks.TasksClient Tasks { get; }

    /// <summary>Records of sandboxes.</summary>
    public Store.StoreClient Sandboxes { get; }

    /// <summary>What runs sandboxes.</summary>
    public Controller.ControllerClient SandboxControllers { get; }

    /// <summary>containerd.services.leases.v1.</summary>
    public Leases.LeasesClient Leases { get; }

    /// <summary>containerd.services.events.v1.</summary>
    public Services.Events.V1.Events.EventsClient Events { get; }

    /// <summary>containerd.services.streaming.v1.</summary>
    public Streaming.StreamingClient Streaming { get; }

    /// <summary>containerd.services.transfer.v1.</summary>
    public Transfer.TransferClient Transfer { get; }

    /// <summary>containerd.services.introspection.v1.</summary>
    public Introspection.IntrospectionClient Introspection { get; }

    /// <summary>containerd.services.version.v1.</summary>
    public VersionClient Version { get; }

    /// <summary>The live tree and pulls done by the daemon; only Containerd.Actors serves it.</summary>
    public Node.V1.Node.NodeClient Node { get; }

    /// <summary>The journal; only Containerd.Actors serves it.</summary>
    public Audit.AuditClient Audit { get; }

    /// <summary>Containers made, run and removed by one request; only Containerd.Actors serves it.</summary>
    public Runs.V1.Runs.RunsClient Runs { get; }

    /// <summary>Prepares a connection to the socket at this path; a <c>unix://</c> prefix is accepted.</summary>
    /// <exception cref="ArgumentException">The path is longer than a socket address holds (107 bytes), or empty.</exception>
    public static ContainerdConnection Open(string address, string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(address);
        ArgumentException.ThrowIfNullOrEmpty(name);
        string path = address.StartsWith("unix://", StringComparison.Ordinal) ? address["unix://".Length..] : address;
        var endPoint = new UnixDomainSocketEndPoint(path);
        var channel = GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler
            {
                UseProxy = false,
                EnableMultipleHttp2Connections = true,
                ConnectCallback = (_, cancellation) => ConnectAsync(endPoint, cancellation),
            },
            DisposeHttpClient = true,
            MaxReceiveMessageSize = MessageBytesMax,
            MaxSendMessageSize = MessageBytesMax,
        });
        return new ContainerdConnection(channel, ownsChannel: true, path, name, lease: null);
    }

    /// <summary>The same connection, acting under a lease. Disposing it leaves this one open.</summary>
    public ContainerdConnection UnderLease(string lease) => new(_channel, ownsChannel: false, Address, Namespace, lease);

    /// <inheritdoc />
    public void Dispose()
    {
        if (_ownsChannel)
        {
            _channel.Dispose();
        }
    }

    private static async ValueTask<Stream> ConnectAsync(UnixDomainSocketEndPoint endPoint, CancellationToken cancellation)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(endPoint, cancellation).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
