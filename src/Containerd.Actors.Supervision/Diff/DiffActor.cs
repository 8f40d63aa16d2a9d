// SPDX-License-Identifier: Apache-2.0

using Akka.Actor;
using Containerd.Actors.Core.Diff;

namespace Containerd.Actors.Supervision.Diff;

/// <summary>Owns the layers that are being applied or made, one child each.</summary>
public sealed class DiffActor : UntypedActor
{
    private readonly IActorRef _executor;
    private readonly IActorRef _namespaces;
    private readonly IActorRef _content;
    private readonly DiffParts _differs;

    public DiffActor(IActorRef executor, IActorRef namespaces, IActorRef content, DiffParts differs) =>
        (_executor, _namespaces, _content, _differs) = (executor, namespaces, content, differs);

    /// <summary>The actor <c>/user/containerd/diff</c>.</summary>
    public static Props Props(IActorRef executor, IActorRef namespaces, IActorRef content, DiffParts differs) =>
        Akka.Actor.Props.Create(() => new DiffActor(executor, namespaces, content, differs));

    /// <inheritdoc />
    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case DiffCommands.Apply apply:
                Context.ActorOf(ApplyOperation.Props(apply, Sender, _executor, _namespaces, _differs));
                break;
            case DiffCommands.Extract extract:
                Context.ActorOf(ExtractOperation.Props(extract, Sender, _executor, _namespaces, _differs));
                break;
            case DiffCommands.Create create:
                Context.ActorOf(CreateOperation.Props(create, Sender, _executor, _namespaces, _content, _differs));
                break;
            default: Unhandled(message); break;
        }
    }
}
