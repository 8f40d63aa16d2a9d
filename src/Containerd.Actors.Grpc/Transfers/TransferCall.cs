// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Containerd.Actors.Core.Leases;
using Containerd.Actors.Grpc.Calls;
using Containerd.Actors.Grpc.Streaming;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Values;

namespace Containerd.Actors.Grpc.Transfers;

/// <summary>One call of Transfer, as its operation sees it.</summary>
/// <param name="Namespace">Namespace of the call.</param>
/// <param name="Caller">Who calls, under which lease.</param>
/// <param name="Tree">The supervision tree.</param>
/// <param name="Streams">The caller's streams are found here.</param>
/// <param name="Progress">Where to say how far it is.</param>
public sealed record TransferCall(string Namespace, Caller Caller, Tree Tree, LiveStreams Streams, TransferProgress Progress)
{
    private const string Expire = "containerd.io/gc.expire";

    // As containerd has it: long enough for any transfer, and not for ever when the daemon is killed meanwhile.
    private static readonly TimeSpan LeaseDuration = TimeSpan.FromHours(24);

    /// <summary>The caller's stream of this id.</summary>
    /// <exception cref="RefusedException">There is none.</exception>
    public LiveStream Stream(string id) => Streams.Get(Namespace, id);

    /// <summary>Runs under the caller's lease, or under one of its own that ends with it.</summary>
    public async Task LeasedAsync(Func<TransferCall, Task> run, CancellationToken cancellationToken)
    {
        if (Caller.Lease.Length > 0)
        {
            await run(this).ConfigureAwait(false);
            return;
        }

        string expiry = (DateTimeOffset.UtcNow + LeaseDuration).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        LeaseRecord lease = await Tree.AskAsync(
            new LeaseCommands.Create(Namespace, "", Labels.None.Add(Expire, expiry), Caller), cancellationToken).ConfigureAwait(false);
        try
        {
            await run(this with { Caller = Caller with { Lease = lease.Id } }).ConfigureAwait(false);
        }
        finally
        {
            await EndAsync(lease.Id).ConfigureAwait(false);
        }
    }

    private async Task EndAsync(string lease)
    {
        try
        {
            await Tree.AskAsync(new LeaseCommands.Delete(Namespace, lease, Caller), CancellationToken.None).ConfigureAwait(false);
        }
        catch (RefusedException)
        {
            // Somebody ended it before, or it expires by itself; what the operation says matters more.
        }
    }
}
