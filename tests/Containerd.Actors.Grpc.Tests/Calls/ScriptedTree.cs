// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using Akka.Actor;
using Containerd.Actors.Grpc.Calls;

namespace Containerd.Actors.Grpc.Tests.Calls;

/// <summary>A tree that is one actor with answers written down beforehand.</summary>
internal sealed class ScriptedTree : IDisposable
{
    private readonly ActorSystem _system = ActorSystem.Create("scripted", "akka.loglevel = OFF");
    private readonly ConcurrentQueue<object> _asked = new();

    public ScriptedTree(Func<object, object> answer) => Tree = new Tree(
        _system.ActorOf(Props.Create(() => new Root(answer, _asked))), TimeSpan.FromSeconds(20));

    public Tree Tree { get; }

    /// <summary>What was asked, in order.</summary>
    public IReadOnlyCollection<object> Asked => _asked;

    public void Dispose() => _system.Dispose();

    private sealed class Root(Func<object, object> answer, ConcurrentQueue<object> asked) : UntypedActor
    {
        protected override void OnReceive(object message)
        {
            asked.Enqueue(message);
            Sender.Tell(answer(message));
        }
    }
}
