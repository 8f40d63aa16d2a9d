// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Collections.Immutable;
using Akka.Actor;
using Containerd.Actors.Protocol.Transfers;

namespace Containerd.Actors.Supervision.Namespaces.Transfers;

/// <summary>What one transfer does, as a sequence of requests to the tree and to the world.</summary>
internal interface ITransferWork
{
    /// <summary>Does it; answers the images that were moved, each with the digest of its target.</summary>
    Task<ImmutableArray<string>> RunAsync(CancellationToken cancellationToken);
}

/// <summary>Tells whoever asked for a transfer how it goes; offsets not more often than is worth while.</summary>
internal sealed class TransferProgress(IActorRef watcher, TimeSpan interval, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, long> _told = new();

    /// <summary>Tells a step.</summary>
    public void Tell(TransferStep step) => watcher.Tell(step, ActorRefs.NoSender);

    /// <summary>Tells how far something is, unless it was told a moment ago.</summary>
    public void TellOffset(TransferStep step)
    {
        long now = time.GetTimestamp();
        long last = _told.GetOrAdd(step.Name, 0);
        if ((last == 0 || time.GetElapsedTime(last, now) >= interval) && _told.TryUpdate(step.Name, now, last))
        {
            Tell(step);
        }
    }
}
