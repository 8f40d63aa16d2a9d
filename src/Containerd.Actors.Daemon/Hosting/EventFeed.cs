// SPDX-License-Identifier: Apache-2.0

using Akka.Actor;
using Containerd.Actors.Core.Audit;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Supervision.Events;

namespace Containerd.Actors.Daemon.Hosting;

/// <summary>Takes what the journal stored to the tree, in order. The journal is open before the tree lives, so the first may have to wait.</summary>
internal sealed class EventFeed : IJournalListener
{
    private readonly Lock _gate = new();
    private List<IReadOnlyList<JournalRecord>>? _early = [];
    private IActorRef _tree = ActorRefs.Nobody;

    /// <inheritdoc />
    public void OnStored(IReadOnlyList<JournalRecord> records)
    {
        lock (_gate)
        {
            if (_early is not null)
            {
                _early.Add(records);
                return;
            }
        }

        _tree.Tell(new EventExchange.Stored(records), ActorRefs.NoSender);
    }

    /// <summary>The tree lives: what waited goes first.</summary>
    public void Connect(IActorRef tree)
    {
        lock (_gate)
        {
            _tree = tree;
            foreach (IReadOnlyList<JournalRecord> records in _early ?? [])
            {
                tree.Tell(new EventExchange.Stored(records), ActorRefs.NoSender);
            }

            _early = null;
        }
    }
}
