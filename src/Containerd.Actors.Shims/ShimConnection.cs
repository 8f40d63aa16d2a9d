// SPDX-License-Identifier: Apache-2.0

using System.Net.Sockets;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Shims.Bundles;
using Containerd.Actors.Shims.Connections;
using Containerd.Actors.Shims.Starting;
using Containerd.Actors.Shims.Tasks;
using Containerd.Actors.Ttrpc;

namespace Containerd.Actors.Shims;

/// <summary>The connection between the daemon and the shim of one task. Losing it never ends the shim.</summary>
public sealed class ShimConnection : IAsyncDisposable
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(10);

    private ShimConnection(Bundle bundle, ShimAddress address, IShimClient client)
    {
        (Bundle, Address, Client) = (bundle, address, client);
        Task = new TaskClient(client, bundle.Id, address.Version);
    }

    /// <summary>The task's bundle.</summary>
    public Bundle Bundle { get; }

    /// <summary>How the shim is reached.</summary>
    public ShimAddress Address { get; }

    /// <summary>The task API.</summary>
    public TaskClient Task { get; }

    /// <summary>The connection itself, for services other than the task API.</summary>
    public IShimClient Client { get; }

    /// <summary>Completes when the connection ended: the shim is dead, or this end was disposed.</summary>
    public Task Closed => Client.Closed;

    /// <summary>Finds the shim of a bundle again, after a restart of the daemon, and asks it for a sign of life.</summary>
    /// <param name="bundle">The bundle.</param>
    /// <param name="timeout">For all of it; containerd gives 5 s.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="RefusedException">Nothing is recorded, or the shim refused.</exception>
    /// <exception cref="ShimClosedException">Nobody listens: the shim is dead and wants its <c>delete</c> action.</exception>
    public static async Task<ShimConnection> LoadAsync(Bundle bundle, TimeSpan timeout, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(bundle);
        var connection = await ConnectAsync(bundle, bundle.ReadBootstrap(), TimeSpan.Zero, cancellation).ConfigureAwait(false);
        try
        {
            await connection.Task.ConnectAsync(timeout, cancellation).ConfigureAwait(false);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Connects; while nobody listens yet, tries again until the time is up.</summary>
    /// <exception cref="RefusedException">NotImplemented: a protocol or address that is not served.</exception>
    /// <exception cref="ShimClosedException">Nobody listens.</exception>
    public static async Task<ShimConnection> ConnectAsync(
        Bundle bundle, ShimAddress address, TimeSpan timeout, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(bundle);
        ArgumentNullException.ThrowIfNull(address);
        Func<Socket, string, string, IShimClient> speak = ClientOf(address);
        UnixDomainSocketEndPoint endPoint;
        try
        {
            endPoint = TtrpcEndPoints.Parse(address.Address);
        }
        catch (ArgumentException wrong)
        {
            throw new RefusedException(Error.NotImplemented($"shim address {address.Address}"), wrong);
        }

        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                var socket = await TtrpcEndPoints.ConnectAsync(endPoint, cancellation).ConfigureAwait(false);
                return new ShimConnection(bundle, address, speak(socket, bundle.Namespace, bundle.Id));
            }
            catch (SocketException failure)
            {
                if (TimeProvider.System.GetElapsedTime(started) >= timeout)
                {
                    throw new ShimClosedException(bundle.Id, failure);
                }
            }

            await System.Threading.Tasks.Task.Delay(RetryDelay, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>A connection that is there already.</summary>
    internal static ShimConnection Over(Bundle bundle, ShimAddress address, TtrpcClient client) =>
        new(bundle, address, new TtrpcShimClient(client, bundle.Namespace, bundle.Id));

    /// <summary>Closes the connection; the shim goes on.</summary>
    public ValueTask DisposeAsync() => Client.DisposeAsync();

    private static Func<Socket, string, string, IShimClient> ClientOf(ShimAddress address) => address switch
    {
        { Protocol: ShimAddress.Ttrpc } => static (socket, ns, id) => new TtrpcShimClient(
            new TtrpcClient(new NetworkStream(socket, ownsSocket: true)), ns, id),
        { Protocol: ShimAddress.Grpc, Version: 3 } => static (socket, ns, id) => new GrpcShimClient(socket, ns, id),
        { Protocol: ShimAddress.Grpc } => throw new RefusedException(Error.Unknown(
            $"containerd client supports only v3 GRPC task service (got {address.Version})")),
        _ => throw new RefusedException(Error.NotImplemented($"shim protocol {address.Protocol}")),
    };
}
