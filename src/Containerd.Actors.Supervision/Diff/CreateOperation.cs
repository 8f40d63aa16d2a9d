// SPDX-License-Identifier: Apache-2.0

using Akka.Actor;
using Containerd.Actors.Core.Content;
using Containerd.Actors.Core.Diff;
using Containerd.Actors.Core.Executor;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Storage.Effects;

namespace Containerd.Actors.Supervision.Diff;

/// <summary>One layer in the making: write it, let the namespace see it, answer, end.</summary>
internal sealed class CreateOperation : UntypedActor
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(30);

    private readonly DiffCommands.Create _create;
    private readonly IActorRef _replyTo;
    private readonly IActorRef _namespaces;
    private DiffEffects.WrittenLayer? _written;

    public CreateOperation(DiffCommands.Create create, IActorRef replyTo, IActorRef executor, IActorRef namespaces)
    {
        (_create, _replyTo, _namespaces) = (create, replyTo, namespaces);
        string reference = create.Reference.Length > 0 ? create.Reference : $"diff-{Self.Path.Uid}";
        executor.Tell(new Execute(
            new DiffEffects.Create(create.Namespace, reference, create.Lower, create.Upper, create.MediaType, create.SourceDateEpoch), Deadline));
    }

    public static Props Props(DiffCommands.Create create, IActorRef replyTo, IActorRef executor, IActorRef namespaces) =>
        Akka.Actor.Props.Create(() => new CreateOperation(create, replyTo, executor, namespaces));

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case Outcome.Done { Value: DiffEffects.WrittenLayer written }:
                Show(written);
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

    private void Show(DiffEffects.WrittenLayer written)
    {
        _written = written;
        _namespaces.Tell(new ContentCommands.Add(
            _create.Namespace,
            written.Layer.Digest,
            written.Layer.Size,
            _create.Labels.SetItem(ContentLabels.Uncompressed, written.DiffId.ToString()),
            "",
            _create.By));
    }

    private void End(Reply<Descriptor> reply)
    {
        _replyTo.Tell(reply);
        Context.Stop(Self);
    }
}
