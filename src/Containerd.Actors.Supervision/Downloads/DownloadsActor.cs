// SPDX-License-Identifier: Apache-2.0

using Akka.Actor;
using Containerd.Actors.Core.Pulls;
using Containerd.Actors.Protocol.Pulls;

namespace Containerd.Actors.Supervision.Downloads;

/// <summary>Owns the turns of those who fetch blobs, of all pulls in all namespaces.</summary>
/// <remarks>
/// A turn belongs to the actor that asked and ends when it says so or dies. <see cref="DownloadQueue"/> decides. Nothing is kept over
/// a restart: those who wait ask again from time to time, and a blob that two fetch after it is still stored once.
/// </remarks>
public sealed class DownloadsActor(int max) : UntypedActor
{
    private readonly Dictionary<string, IActorRef> _holders = [];
    private DownloadQueue _queue = new(max);

    /// <summary>The actor <c>/user/containerd/downloads</c>.</summary>
    public static Props Props(int max) => Akka.Actor.Props.Create(() => new DownloadsActor(max));

    /// <inheritdoc />
    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case DownloadCommands.Ask ask: Ask(ask); break;
            case DownloadCommands.Leave: Leave(Sender); break;
            case Terminated gone: Leave(gone.ActorRef); break;
            default: Unhandled(message); break;
        }
    }

    private void Ask(DownloadCommands.Ask ask)
    {
        string holder = Sender.Path.ToString();
        _holders[holder] = Context.Watch(Sender);
        (_queue, var turns) = _queue.Ask(holder, ask.Digest);
        Tell(turns);
    }

    private void Leave(IActorRef sender)
    {
        string holder = sender.Path.ToString();
        if (_holders.Remove(holder))
        {
            Context.Unwatch(sender);
            (_queue, var turns) = _queue.Leave(holder);
            Tell(turns);
        }
    }

    private void Tell(IEnumerable<string> turns)
    {
        foreach (string holder in turns)
        {
            _holders[holder].Tell(DownloadTurn.Value);
        }
    }
}
