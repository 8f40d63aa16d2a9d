// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Containerd.Actors.Client.Connections;
using Containerd.Services.Leases.V1;
using Grpc.Core;

namespace Containerd.Actors.Client.Leasing;

/// <summary>Keeps what is made under it from garbage collection until it is disposed.</summary>
/// <remarks>
/// The lease expires by itself after a day, so that a client that dies leaves nothing behind for ever. Disposing deletes it without
/// waiting for a collection; a lease that is gone already is no failure.
/// </remarks>
public sealed class TemporaryLease : IAsyncDisposable
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromHours(24);
    private static readonly TimeSpan DeletionTimeout = TimeSpan.FromSeconds(10);

    private readonly ContainerdConnection _owner;

    private TemporaryLease(ContainerdConnection owner, string id)
    {
        _owner = owner;
        Id = id;
        Connection = owner.UnderLease(id);
    }

    /// <summary>The lease's id, chosen by the daemon.</summary>
    public string Id { get; }

    /// <summary>The connection whose calls are made under the lease.</summary>
    public ContainerdConnection Connection { get; }

    /// <summary>Creates a lease in the connection's namespace.</summary>
    public static async Task<TemporaryLease> CreateAsync(
        ContainerdConnection connection, TimeProvider time, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(connection);
        ArgumentNullException.ThrowIfNull(time);
        DateTimeOffset expiry = time.GetUtcNow() + Lifetime;
        var request = new CreateRequest();
        request.Labels["containerd.io/gc.expire"] = expiry.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        CreateResponse response = await connection.Leases.CreateAsync(request, cancellationToken: cancellation).ConfigureAwait(false);
        return new TemporaryLease(connection, response.Lease.Id);
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        Connection.Dispose();
        try
        {
            await _owner.Leases.DeleteAsync(
                new DeleteRequest { Id = Id }, deadline: DateTime.UtcNow + DeletionTimeout).ConfigureAwait(false);
        }
        catch (RpcException gone) when (gone.StatusCode is StatusCode.NotFound or StatusCode.Unavailable or StatusCode.DeadlineExceeded)
        {
            // The lease expires by itself: losing the daemon here must not hide what happened before.
            return;
        }
    }
}
