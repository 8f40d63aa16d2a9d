// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Akka.Actor;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Protocol.Messages;

namespace Containerd.Actors.Supervision.Mounts;

/// <summary>One question about activations: reads the records, answers, ends.</summary>
internal sealed class LookUpOperation : UntypedActor
{
    private readonly IForMounts _query;
    private readonly IActorRef _replyTo;

    public LookUpOperation(IForMounts query, IActorRef replyTo, IActorRef namespaces)
    {
        (_query, _replyTo) = (query, replyTo);
        namespaces.Tell(new NamespaceQueries.GetState(query.Namespace));
    }

    public static Props Props(IForMounts query, IActorRef replyTo, IActorRef namespaces) =>
        Akka.Actor.Props.Create(() => new LookUpOperation(query, replyTo, namespaces));

    protected override void OnReceive(object message)
    {
        switch (message, _query)
        {
            case (Done<NamespaceState> state, MountCommands.Get get): End(state.Result.Activation(get.Name)); break;
            case (Done<NamespaceState> state, MountCommands.List): End(Reply.Done<ImmutableArray<Activation>>([.. state.Result.Activations.Values])); break;
            case (Refused<NamespaceState> refused, _): End(_query.Refusal(refused.Error)); break;
            default: Unhandled(message); break;
        }
    }

    private void End(object reply)
    {
        _replyTo.Tell(reply);
        Context.Stop(Self);
    }
}
