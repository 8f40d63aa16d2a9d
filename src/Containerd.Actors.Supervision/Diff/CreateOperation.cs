// SPDX-License-Identifier: Apache-2.0

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

/// <summary>One layer in the making: write it, hold it against sweeps, commit it, let the namespace see it, answer, end.</summary>
internal sealed class CreateOperation : UntypedActor
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(30);

    private readonly DiffCommands.Create _create;
    private readonly IActorRef _replyTo;
    private readonly IActorRef _executor;
    private readonly IActorRef _namespaces;
    private readonly IActorRef _content;
    private DiffEffects.WrittenLayer? _written;
    private Ingest? _open;

    public CreateOperation(DiffCommands.Create create, IActorRef replyTo, IActorRef executor, IActorRef namespaces, IActorRef content)
    {
        (_create, _replyTo, _executor, _namespaces, _content) = (create, replyTo, executor, namespaces, content);
        string reference = create.Reference.Length > 0 ? create.Reference : $"diff-{Self.Path.Uid}";
        executor.Tell(new Execute(
            new DiffEffects.Create(create.Namespace, reference, create.Lower, create.Upper, create.MediaType, create.SourceDateEpoch), Deadline));
    }

    public static Props Props(DiffCommands.Create create, IActorRef replyTo, IActorRef executor, IActorRef namespaces, IActorRef content) =>
        Akka.Actor.Props.Create(() => new CreateOperation(create, replyTo, executor, namespaces, content));

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
                End(Reply.Refused<Descriptor>(error));
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
        if (_open is { } open)
        {
            _executor.Tell(new Execute(new ContentEffects.Close(open, Abort: true)), ActorRefs.NoSender);
        }

        if (_written is { } written)
        {
            _content.Tell(new ContentActor.Pin(written.Layer.Digest, Held: false));
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
