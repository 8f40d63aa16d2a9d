// SPDX-License-Identifier: Apache-2.0

using Akka.Actor;
using Containerd.Actors.Core.Diff;
using Containerd.Actors.Core.Executor;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Storage.Diff;
using Containerd.Actors.Storage.Effects;

namespace Containerd.Actors.Supervision.Diff;

/// <summary>One layer on its way into a snapshot: may the namespace see it, extract, answer, end.</summary>
internal sealed class ExtractOperation : UntypedActor
{
    private readonly DiffCommands.Extract _extract;
    private readonly IActorRef _replyTo;
    private readonly IActorRef _executor;

    public ExtractOperation(DiffCommands.Extract extract, IActorRef replyTo, IActorRef executor, IActorRef namespaces, DiffParts differs)
    {
        (_extract, _replyTo, _executor) = (extract, replyTo, executor);
        if (differs.At(0) is { } other)
        {
            // It is given mounts, and these cannot be mounted.
            Refuse(Error.NotImplemented($"differ {other.Name} extracts no layers whose parents come later"));
        }
        else if (extract.Upload is { } upload)
        {
            // Its own upload, which the namespace does not see as content yet.
            executor.Tell(new Execute(
                new DiffEffects.ApplyArriving(extract.Namespace, upload.Reference, extract.Layer, extract.Mounts, upload.Patience),
                upload.Patience + ApplyOperation.Deadline));
        }
        else
        {
            namespaces.Tell(new NamespaceQueries.GetState(extract.Namespace));
        }
    }

    public static Props Props(DiffCommands.Extract extract, IActorRef replyTo, IActorRef executor, IActorRef namespaces, DiffParts differs) =>
        Akka.Actor.Props.Create(() => new ExtractOperation(extract, replyTo, executor, namespaces, differs));

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case Done<NamespaceState> { Result: var state } when !state.Content.ContainsKey(_extract.Layer.Digest):
                Refuse(Error.NotFound($"content digest {_extract.Layer.Digest}"));
                break;
            case Done<NamespaceState>:
                _executor.Tell(new Execute(new DiffEffects.Apply(_extract.Layer, _extract.Mounts, Synchronize: false), ApplyOperation.Deadline));
                break;
            case Refused<NamespaceState> refused:
                Refuse(refused.Error);
                break;
            case Outcome.Done { Value: AppliedLayer layer }:
                _replyTo.Tell(Reply.Done(new ExtractedLayer(layer.Descriptor, layer.Inherited)));
                Context.Stop(Self);
                break;
            case Outcome { Refusal: { } error }:
                Refuse(error);
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    private void Refuse(Error error)
    {
        _replyTo.Tell(Reply.Refused<ExtractedLayer>(error));
        Context.Stop(Self);
    }
}
