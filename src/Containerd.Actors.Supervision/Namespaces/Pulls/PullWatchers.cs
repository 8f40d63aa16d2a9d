// SPDX-License-Identifier: Apache-2.0

using Akka.Actor;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Pulls;

namespace Containerd.Actors.Supervision.Namespaces.Pulls;

/// <summary>Those who asked for one pull: who hears of it, and who is asked for credentials, one question at a time.</summary>
/// <param name="reference">What is pulled.</param>
/// <param name="self">The pull: answers come to it.</param>
internal sealed class PullWatchers(string reference, IActorRef self)
{
    // In the order in which they came; true for those who have credentials.
    private readonly List<(IActorRef Actor, bool HasCredentials)> _watchers = [];
    private readonly Queue<(string Host, IActorRef Asker)> _questions = new();
    private IActorRef? _asked;

    /// <summary>True when nobody is left.</summary>
    public bool IsEmpty => _watchers.Count == 0;

    /// <summary>One more who asked.</summary>
    public void Add(IActorRef watcher, bool hasCredentials) => _watchers.Add((watcher, hasCredentials));

    /// <summary>One who asked is gone; an open question goes to another.</summary>
    /// <returns>False when it was none of them.</returns>
    public bool Remove(IActorRef watcher)
    {
        bool removed = _watchers.RemoveAll(known => known.Actor.Equals(watcher)) > 0;
        if (watcher.Equals(_asked))
        {
            _asked = null;
            AskNext();
        }

        return removed;
    }

    /// <summary>Tells all.</summary>
    public void Tell(object message)
    {
        foreach ((IActorRef watcher, _) in _watchers)
        {
            watcher.Tell(message, self);
        }
    }

    /// <summary>A registry wants to know who asks; the asker gets the answer.</summary>
    public void Ask(string host, IActorRef asker)
    {
        _questions.Enqueue((host, asker));
        AskNext();
    }

    /// <summary>The answer to the open question.</summary>
    public void Answer(Reply<PullCredentials> answer, IActorRef from)
    {
        if (from.Equals(_asked))
        {
            _asked = null;
            _questions.Dequeue().Asker.Tell(answer, self);
            AskNext();
        }
    }

    private void AskNext()
    {
        while (_asked is null && _questions.TryPeek(out (string Host, IActorRef Asker) question))
        {
            _asked = _watchers.Find(watcher => watcher.HasCredentials).Actor;
            if (_asked is null)
            {
                _questions.Dequeue().Asker.Tell(Reply.Done(PullCredentials.Anonymous), self);
            }
            else
            {
                _asked.Tell(new PullQueries.FindCredentials(question.Host, reference), self);
            }
        }
    }
}
