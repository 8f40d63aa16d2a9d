// SPDX-License-Identifier: Apache-2.0

using Akka.Actor;
using Containerd.Actors.Core.Diff;
using Containerd.Actors.Core.Executor;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Storage.Diff;
using Containerd.Actors.Storage.Effects;

namespace Containerd.Actors.Supervision.Diff;

/// <summary>One layer on its way onto mounts: may the namespace see it, extract it, answer, end.</summary>
internal sealed class ApplyOperation : UntypedActor
{
    // Big layers on slow disks are no failure; what hangs for good is found by the lane's own deadline.
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(30);

    private readonly DiffCommands.Apply _apply;
    private readonly IActorRef _replyTo;
    private readonly IActorRef _executor;

    public ApplyOperation(DiffCommands.Apply apply, IActorRef replyTo, IActorRef executor, IActorRef namespaces)
    {
        (_apply, _replyTo, _executor) = (apply, replyTo, executor);
        namespaces.Tell(new NamespaceQueries.GetState(apply.Namespace));
    }

    public static Props Props(DiffCommands.Apply apply, IActorRef replyTo, IActorRef executor, IActorRef namespaces) =>
        Akka.Actor.Props.Create(() => new ApplyOperation(apply, replyTo, executor, namespaces));

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case Done<NamespaceState> { Result: var state } when !state.Content.ContainsKey(_apply.Layer.Digest):
                End(Reply.Refused<Descriptor>(Error.NotFound($"content digest {_apply.Layer.Digest}")));
                break;
            case Done<NamespaceState>:
                _executor.Tell(new Execute(new DiffEffects.Apply(_apply.Layer, _apply.Mounts, _apply.Synchronize), Deadline));
                break;
            case Refused<NamespaceState> refused:
                End(Reply.Refused<Descriptor>(refused.Error));
                break;
            case Outcome.Done { Value: AppliedLayer layer }:
                End(Reply.Done(layer.Descriptor));
                break;
            case Outcome { Refusal: { } error }:
                End(Reply.Refused<Descriptor>(error));
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    private void End(Reply<Descriptor> reply)
    {
        _replyTo.Tell(reply);
        Context.Stop(Self);
    }
}
