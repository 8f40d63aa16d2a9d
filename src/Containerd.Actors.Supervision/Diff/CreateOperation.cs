// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;
using Akka.Actor;
using Containerd.Actors.Core.Content;
using Containerd.Actors.Core.Diff;
using Containerd.Actors.Core.Executor;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Storage.Content;
using Containerd.Actors.Storage.Effects;
using Containerd.Actors.Supervision.Content;

namespace Containerd.Actors.Supervision.Diff;

/// <summary>
/// One layer in the making: have one differ after the other write it, hold it against sweeps, commit it, let the namespace see it, answer,
/// end.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "An actor ends in PostStop, where the token source is disposed.")]
internal sealed class CreateOperation : UntypedActor
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(30);

    private readonly DiffCommands.Create _create;
    private readonly IActorRef _replyTo;
    private readonly IActorRef _executor;
    private readonly IActorRef _namespaces;
    private readonly IActorRef _content;
    private readonly DiffParts _differs;
    private readonly CancellationTokenSource _stopped = new();
    private int _place;
    private DiffEffects.WrittenLayer? _written;
    private Ingest? _open;

    public CreateOperation(
        DiffCommands.Create create, IActorRef replyTo, IActorRef executor, IActorRef namespaces, IActorRef content, DiffParts differs)
    {
        (_create, _replyTo, _executor, _namespaces, _content, _differs) = (create, replyTo, executor, namespaces, content, differs);
        Ask();
    }

    public static Props Props(
        DiffCommands.Create create, IActorRef replyTo, IActorRef executor, IActorRef namespaces, IActorRef content, DiffParts differs) =>
        Akka.Actor.Props.Create(() => new CreateOperation(create, replyTo, executor, namespaces, content, differs));

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case Outcome.Done { Value: DiffEffects.WrittenLayer written }:
                (_written, _open) = (written, written.Ingest);
                _content.Tell(new ContentActor.Pin(written.Layer.Digest, Held: true));
                break;
            case ContentActor.Pinned:
                _executor.Tell(new Execute(new ContentEffects.Commit(_open!, 0, default), Deadline));
                break;
            case Outcome.Done { Value: CommittedBlob }:
                _open = null;
                Show(_written!);
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
            case Refused<ContentRecord> { Error.Kind: ErrorKind.AlreadyExists }:
                // The same layer was made before; it may lack the label by which clients find its uncompressed digest.
                _namespaces.Tell(new ContentCommands.Update(
                    _create.Namespace,
                    _written!.Layer.Digest,
                    Protocol.Values.Labels.None.Add(ContentLabels.Uncompressed, _written.DiffId.ToString()),
                    [$"labels.{ContentLabels.Uncompressed}"],
                    _create.By));
                break;
            case Refused<ContentRecord> refused:
                End(Reply.Refused<Descriptor>(refused.Error));
                break;
            case Done<ContentRecord>:
                End(Reply.Done(_written!.Layer));
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
        if (_open is { } open)
        {
            _executor.Tell(new Execute(new ContentEffects.Close(open, Abort: true)), ActorRefs.NoSender);
        }

        if (_written is { } written)
        {
            _content.Tell(new ContentActor.Pin(written.Layer.Digest, Held: false));
        }
    }

    private void Ask()
    {
        string reference = _create.Reference.Length > 0 ? _create.Reference : $"diff-{Self.Path.Uid}";
        if (_differs.At(_place) is { } differ)
        {
            CancellationToken stopped = _stopped.Token;
            DifferReply.OfAsync(() => differ.CreateAsync(_create with { Reference = reference }, stopped)).PipeTo(Self);
        }
        else
        {
            _executor.Tell(new Execute(
                new DiffEffects.Create(_create.Namespace, reference, _create.Lower, _create.Upper, _create.MediaType, _create.SourceDateEpoch), Deadline));
        }
    }

    // containerd: a differ that does not serve the request leaves it to the next one.
    private void OnRefused(Error error)
    {
        if (error.Kind == ErrorKind.NotImplemented && _written is null && _place + 1 < _differs.Order.Length)
        {
            _place++;
            Ask();
        }
        else
        {
            End(Reply.Refused<Descriptor>(error));
        }
    }

    private void Show(DiffEffects.WrittenLayer written) => _namespaces.Tell(new ContentCommands.Add(
        _create.Namespace,
        written.Layer.Digest,
        written.Layer.Size,
        _create.Labels.SetItem(ContentLabels.Uncompressed, written.DiffId.ToString()),
        "",
        _create.By));

    private void End(Reply<Descriptor> reply)
    {
        _replyTo.Tell(reply);
        Context.Stop(Self);
    }
}
