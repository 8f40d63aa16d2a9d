// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Akka.Actor;
using Akka.Event;
using Containerd.Actors.Core.Content;
using Containerd.Actors.Core.Executor;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Content;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Storage.Content;
using Containerd.Actors.Storage.Effects;
using Error = Containerd.Actors.Protocol.Errors.Error;

namespace Containerd.Actors.Supervision.Content;

/// <summary>Owns one open upload; that it exists is the lock on the reference.</summary>
/// <remarks>
/// <code>
/// opening --> idle --Write, Commit--> busy --> idle --End--> closing --> (gone)
///    |                                 |
///    +-- refused --> (gone)            +-- committed --> (gone)
/// </code>
/// The bytes are on disk and can be resumed whatever happens to this actor. One request is with a lane or the namespace at a time;
/// later ones wait, since they build on the offset it leaves.
/// </remarks>
internal sealed class IngestActor : UntypedActor, IWithUnboundedStash
{
    private readonly IngestCommands.Open _opened;
    private readonly IActorRef _content;
    private readonly IActorRef _executor;
    private readonly IActorRef _namespaces;
    private readonly bool _isShared;
    private Ingest? _ingest;

    // Size of a blob that another namespace has already, as long as the client sent no bytes of its own; -1 otherwise.
    private long _adopted = -1;

    private readonly HashSet<Digest> _held = [];
    private Func<object, bool> _awaited = static _ => false;

    public IngestActor(
        IngestCommands.Open opened, IActorRef replyTo, IActorRef content, IActorRef executor, IActorRef namespaces, bool isShared)
    {
        (_opened, _content, _executor, _namespaces, _isShared) = (opened, content, executor, namespaces, isShared);
        if (opened.Expected.IsEmpty)
        {
            Lease(replyTo);
        }
        else
        {
            AskIfVisible(replyTo);
        }
    }

    /// <summary>Give it back; what is stored can be resumed unless it is to be forgotten.</summary>
    internal sealed record End(bool Abort) : IDeadLetterSuppression;

    /// <inheritdoc />
    public IStash Stash { get; set; } = null!;

    private long Offset => _adopted >= 0 ? _adopted : _ingest!.Offset;

    /// <summary>How to create it for the request that opens the upload.</summary>
    public static Props Props(
        IngestCommands.Open opened, IActorRef replyTo, IActorRef content, IActorRef executor, IActorRef namespaces, bool isShared) =>
        Akka.Actor.Props.Create(() => new IngestActor(opened, replyTo, content, executor, namespaces, isShared));

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case IngestCommands.GetState: Sender.Tell(Reply.Done(State())); break;
            case IngestCommands.Write write: Write(write, Sender); break;
            case IngestCommands.Commit commit: Commit(commit, Sender); break;
            case End end: Close(end.Abort); break;
            default: Unhandled(message); break;
        }
    }

    protected override void PostStop()
    {
        foreach (Digest digest in _held)
        {
            _content.Tell(new ContentActor.Pin(digest, Held: false));
        }

        // Closed here as well, so that a crash of this actor never leaves the reference locked.
        if (_ingest is { } open)
        {
            _executor.Tell(new Execute(new ContentEffects.Close(open, Abort: false)), ActorRefs.NoSender);
        }
    }

    // Content that is visible needs no upload; the caller's lease keeps it from now on.
    private void AskIfVisible(IActorRef replyTo)
    {
        _namespaces.Tell(new ContentCommands.Attach(_opened.Namespace, _opened.Expected, _opened.By));
        Await(message =>
        {
            switch (message)
            {
                case Done<ContentRecord>:
                    replyTo.Tell(Reply.Refused<IngestState>(Error.AlreadyExists($"content {_opened.Expected}")));
                    Context.Stop(Self);
                    return true;
                case Refused<ContentRecord> { Error.Kind: ErrorKind.NotFound }:
                    Hold(_opened.Expected, () => AskWhoOffers(replyTo));
                    return true;
                case Refused<ContentRecord> refused:
                    Refuse(replyTo, refused.Error);
                    return true;
                default:
                    return false;
            }
        });
    }

    // What is shared is taken from the disk, whoever put it there; what is isolated only from a namespace that offers it.
    private void AskWhoOffers(IActorRef replyTo)
    {
        if (_isShared)
        {
            Measure(replyTo);
            return;
        }

        _namespaces.Tell(new NamespaceQueries.List());
        Await(message =>
        {
            if (message is not Reply<ImmutableArray<NamespaceState>> reply)
            {
                return false;
            }

            if (reply is Done<ImmutableArray<NamespaceState>> { Result: var all } && all.Any(state =>
                state.Labels.GetValueOrDefault(ContentSettings.ShareableLabel) == "true" && state.Content.ContainsKey(_opened.Expected)))
            {
                Measure(replyTo);
            }
            else
            {
                Lease(replyTo);
            }

            return true;
        });
    }

    private void Measure(IActorRef replyTo) => Begin(new ContentEffects.Size(_opened.Expected), replyTo, blobOnDisk =>
    {
        if (blobOnDisk is long size && (_opened.Total == 0 || _opened.Total == size))
        {
            _adopted = size;
        }

        Lease(replyTo);
    });

    // The lease has the upload before it is there, so that no sweep sees it without.
    private void Lease(IActorRef replyTo)
    {
        if (_opened.By.Lease.Length == 0)
        {
            Open(replyTo);
            return;
        }

        _namespaces.Tell(new ContentCommands.AttachIngest(_opened.Namespace, _opened.Reference, _opened.By));
        Await(message =>
        {
            switch (message)
            {
                case Done<Nothing>:
                    Open(replyTo);
                    return true;
                case Refused<Nothing> refused:
                    Refuse(replyTo, refused.Error);
                    return true;
                default:
                    return false;
            }
        });
    }

    private void Open(IActorRef replyTo)
    {
        bool isLeased = _opened.By.Lease.Length > 0;
        Begin(new ContentEffects.OpenIngest(_opened.Namespace, _opened.Reference, _opened.Total, _opened.Expected, isLeased), replyTo, done =>
        {
            _ingest = (Ingest)done!;
            replyTo.Tell(Reply.Done(State()));
        });
    }

    private static void Refuse(IActorRef replyTo, Error error)
    {
        replyTo.Tell(Reply.Refused<IngestState>(error));
        Context.Stop(Context.Self);
    }

    private void Write(IngestCommands.Write write, IActorRef replyTo)
    {
        if (write.Offset > 0 && write.Offset != Offset)
        {
            replyTo.Tell(Reply.Refused<IngestState>(
                new Error(ErrorKind.OutOfRange, $"write @{write.Offset} must occur at current offset {Offset}")));
            return;
        }

        if (_adopted >= 0 && write.Offset > 0)
        {
            Begin(new ContentEffects.Seed(_ingest!, _opened.Expected), replyTo, _ => Append(write, replyTo));
        }
        else
        {
            Append(write, replyTo);
        }
    }

    private void Append(IngestCommands.Write write, IActorRef replyTo)
    {
        _adopted = -1;
        bool anew = write.Offset == 0 && _ingest!.Offset > 0;
        Begin(new ContentEffects.Append(_ingest!, anew, write.Bytes), replyTo, _ => replyTo.Tell(Reply.Done(State())));
    }

    private void Commit(IngestCommands.Commit commit, IActorRef replyTo)
    {
        if (commit.Offset > 0 && commit.Offset != Offset)
        {
            replyTo.Tell(Reply.Refused<CommittedContent>(
                new Error(ErrorKind.OutOfRange, $"write @{commit.Offset} must occur at current offset {Offset}")));
        }
        else if (LabelRules.Validate(commit.Labels) is { } badLabel)
        {
            // Refused before the blob is there: nobody would keep it.
            replyTo.Tell(Reply.Refused<CommittedContent>(badLabel));
        }
        else if (_adopted < 0)
        {
            // The blob gets the expected digest or none, whichever algorithm that is of.
            Digest expected = Expected(commit);
            Hold(expected.IsEmpty ? _ingest!.CurrentDigest : expected, () => Publish(commit, replyTo));
        }
        else if (commit.Total > 0 && commit.Total != _adopted)
        {
            replyTo.Tell(Reply.Refused<CommittedContent>(
                Error.FailedPrecondition($"\"{commit.Namespace}/1/{commit.Reference}\" failed size validation: {_adopted} != {commit.Total}")));
        }
        else if (!commit.Expected.IsEmpty && commit.Expected != _opened.Expected)
        {
            replyTo.Tell(Reply.Refused<CommittedContent>(
                Error.FailedPrecondition($"unexpected commit digest {_opened.Expected}, expected {commit.Expected}")));
        }
        else
        {
            Add(commit, _opened.Expected, _adopted, replyTo);
        }
    }

    private void Publish(IngestCommands.Commit commit, IActorRef replyTo)
    {
        Begin(
            new ContentEffects.Commit(_ingest!, commit.Total, Expected(commit)),
            replyTo,
            done =>
            {
                var blob = (CommittedBlob)done!;
                _ingest = null;
                Add(commit, blob.Digest, blob.Size, replyTo);
            },
            error => replyTo.Tell(Reply.Refused<CommittedContent>(error)));
    }

    private Digest Expected(IngestCommands.Commit commit) => commit.Expected.IsEmpty ? _opened.Expected : commit.Expected;

    // The blob is on disk and durable; from here on only the namespace can say no, because it sees the blob already.
    private void Add(IngestCommands.Commit commit, Digest digest, long size, IActorRef replyTo)
    {
        _namespaces.Tell(new ContentCommands.Add(commit.Namespace, digest, size, commit.Labels, commit.Reference, commit.By));
        Await(message =>
        {
            if (message is not Reply<ContentRecord> reply)
            {
                return false;
            }

            // Answered when the upload is gone, as it then must not be listed any more.
            Close(abort: true, () => replyTo.Tell(reply is Refused<ContentRecord> { Error: var error }
                ? Reply.Refused<CommittedContent>(error)
                : Reply.Done(new CommittedContent(digest, size))));
            return true;
        });
    }

    // The answer comes when no sweep is under way, and later ones pass the blob over: what is there then stays there.
    private void Hold(Digest digest, Action then)
    {
        if (!_held.Add(digest))
        {
            then();
            return;
        }

        _content.Tell(new ContentActor.Pin(digest, Held: true));
        Await(message =>
        {
            if (message is not ContentActor.Pinned)
            {
                return false;
            }

            then();
            return true;
        });
    }

    private void Close(bool abort, Action? closed = null)
    {
        if (_ingest is not { } open)
        {
            closed?.Invoke();
            Context.Stop(Self);
            return;
        }

        _ingest = null;
        _executor.Tell(new Execute(new ContentEffects.Close(open, abort)));
        Await(message =>
        {
            if (message is not Outcome)
            {
                return false;
            }

            closed?.Invoke();
            Context.Stop(Self);
            return true;
        });
    }

    private void Begin(Effect effect, IActorRef replyTo, Action<object?> then, Action<Error>? refused = null)
    {
        _executor.Tell(new Execute(effect));
        Await(message =>
        {
            switch (message)
            {
                case Outcome.Done done:
                    then(done.Value);
                    return true;
                case Outcome { Refusal: { } error }:
                    (refused ?? (e => replyTo.Tell(Reply.Refused<IngestState>(e))))(error);
                    if (_ingest is null)
                    {
                        Context.Stop(Self);
                    }

                    return true;
                default:
                    return false;
            }
        });
    }

    private void Await(Func<object, bool> awaited)
    {
        _awaited = awaited;
        Become(Busy);
    }

    private void Busy(object message)
    {
        Func<object, bool> awaited = _awaited;
        if (!awaited(message))
        {
            Stash.Stash();
        }
        else if (ReferenceEquals(awaited, _awaited))
        {
            Become(OnReceive);
            Stash.UnstashAll();
        }
    }

    private IngestState State() => new(
        _opened.Reference, Offset, _ingest!.Total, _ingest.CurrentDigest, _ingest.StartedAt, _ingest.UpdatedAt);
}
