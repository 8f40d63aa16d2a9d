// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;
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

/// <summary>One layer on its way onto mounts: may the namespace see it, ask one differ after the other, answer, end.</summary>
[SuppressMessage("Design", "CA1001", Justification = "An actor ends in PostStop, where the token source is disposed.")]
internal sealed class ApplyOperation : UntypedActor
{
    // Big layers on slow disks are no failure; what hangs for good is found by the lane's own deadline.
    public static readonly TimeSpan Deadline = TimeSpan.FromMinutes(30);

    private readonly DiffCommands.Apply _apply;
    private readonly IActorRef _replyTo;
    private readonly IActorRef _executor;
    private readonly DiffParts _differs;
    private readonly CancellationTokenSource _stopped = new();
    private int _place;

    public ApplyOperation(DiffCommands.Apply apply, IActorRef replyTo, IActorRef executor, IActorRef namespaces, DiffParts differs)
    {
        (_apply, _replyTo, _executor, _differs) = (apply, replyTo, executor, differs);
        namespaces.Tell(new NamespaceQueries.GetState(apply.Namespace));
    }

    public static Props Props(DiffCommands.Apply apply, IActorRef replyTo, IActorRef executor, IActorRef namespaces, DiffParts differs) =>
        Akka.Actor.Props.Create(() => new ApplyOperation(apply, replyTo, executor, namespaces, differs));

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case Done<NamespaceState> { Result: var state } when !state.Content.ContainsKey(_apply.Layer.Digest):
                End(Reply.Refused<Descriptor>(Error.NotFound($"content digest {_apply.Layer.Digest}")));
                break;
            case Done<NamespaceState>:
                Ask();
                break;
            case Refused<NamespaceState> refused:
                End(Reply.Refused<Descriptor>(refused.Error));
                break;
            case Outcome.Done { Value: AppliedLayer layer }:
                End(Reply.Done(layer.Descriptor));
                break;
            case Outcome { Refusal: { } error }:
                OnRefused(error);
                break;
            case DifferReply { Reply: Refused<Descriptor> refused }:
                OnRefused(refused.Error);
                break;
            case DifferReply answer:
                End(answer.Reply);
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    protected override void PostStop()
    {
        _stopped.Cancel();
        _stopped.Dispose();
    }

    private void Ask()
    {
        if (_differs.At(_place) is { } differ)
        {
            CancellationToken stopped = _stopped.Token;
            DifferReply.OfAsync(() => differ.ApplyAsync(_apply, stopped)).PipeTo(Self);
        }
        else
        {
            _executor.Tell(new Execute(
                new DiffEffects.Apply(_apply.Layer, _apply.Mounts, _apply.Synchronize) { Payloads = _apply.Payloads }, Deadline));
        }
    }

    // containerd: a differ that does not serve the request leaves it to the next one.
    private void OnRefused(Error error)
    {
        if (error.Kind == ErrorKind.NotImplemented && _place + 1 < _differs.Order.Length)
        {
            _place++;
            Ask();
        }
        else
        {
            End(Reply.Refused<Descriptor>(error));
        }
    }

    private void End(Reply<Descriptor> reply)
    {
        _replyTo.Tell(reply);
        Context.Stop(Self);
    }
}
