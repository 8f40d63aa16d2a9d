// SPDX-License-Identifier: Apache-2.0

using Akka.Actor;
using Containerd.Actors.Grpc.Calls;
using Containerd.Actors.Grpc.Events;
using Containerd.Actors.Protocol.Events;
using Containerd.Actors.Protocol.Messages;

namespace Containerd.Actors.Grpc.Tests.Events;

/// <summary>A tree that takes subscribers and gives them what a test publishes.</summary>
internal sealed class PublishingTree : IDisposable
{
    private readonly ActorSystem _system = ActorSystem.Create("publishing", "akka.loglevel = OFF");
    private readonly IActorRef _root;

    public PublishingTree() => _root = _system.ActorOf(Props.Create(() => new Exchange()));

    public EventsService Service(int queueMax = 1000) => new(new Tree(_root, TimeSpan.FromSeconds(20)), _system, new EventsSettings(queueMax));

    public void Publish(params IEnumerable<Publication> publications)
    {
        foreach (Publication publication in publications)
        {
            _root.Tell(publication);
        }
    }

    /// <summary>How many subscribers there are, those that have stopped left out.</summary>
    public Task<int> SubscribersAsync() => _root.Ask<int>("count", TimeSpan.FromSeconds(20));

    /// <summary>Completes when there are this many subscribers.</summary>
    public Task UntilSubscribersAsync(int count) => _root.Ask<int>(new Until(count), TimeSpan.FromSeconds(20));

    public void Dispose() => _system.Dispose();

    private sealed record Until(int Count);

    private sealed class Exchange : UntypedActor
    {
        private readonly HashSet<IActorRef> _subscribers = [];
        private readonly List<(int Count, IActorRef Asker)> _waiting = [];

        protected override void OnReceive(object message)
        {
            switch (message)
            {
                case EventCommands.Subscribe:
                    _subscribers.Add(Context.Watch(Sender));
                    Sender.Tell(Reply.Done());
                    break;
                case Terminated gone: _subscribers.Remove(gone.ActorRef); break;
                case Until until: _waiting.Add((until.Count, Sender)); break;
                case Publication: _subscribers.ToList().ForEach(subscriber => subscriber.Tell(message)); break;
                default: Sender.Tell(_subscribers.Count); break;
            }

            foreach ((int count, IActorRef asker) in _waiting.Where(waiting => waiting.Count == _subscribers.Count).ToList())
            {
                asker.Tell(count);
                _waiting.Remove((count, asker));
            }
        }
    }
}
