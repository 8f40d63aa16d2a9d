// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Collections.Immutable;
using Akka.Actor;
using Containerd.Actors.Core.Content;
using Containerd.Actors.Core.Diff;
using Containerd.Actors.Core.Images;
using Containerd.Actors.Core.Leases;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Content;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Pulls;
using Containerd.Actors.Protocol.Values;
using Containerd.Actors.Supervision.Downloads;

namespace Containerd.Actors.Supervision.Tests.Namespaces.Pulls;

/// <summary>What a fake tree knows and does; tests look at it from outside.</summary>
internal sealed class TreeScript
{
    /// <summary>What was done, in order.</summary>
    public ConcurrentQueue<string> Deeds { get; } = new();

    /// <summary>What was asked, in order.</summary>
    public ConcurrentQueue<object> Asked { get; } = new();

    /// <summary>Uploads that are open now.</summary>
    public ConcurrentDictionary<string, bool> Open { get; } = new();

    /// <summary>Labels of the content that is visible.</summary>
    public ConcurrentDictionary<Digest, ImmutableSortedDictionary<string, string>> Content { get; } = new();

    /// <summary>What a layer unpacks to.</summary>
    public required Func<Digest, Digest> DiffIdOf { get; init; }

    /// <summary>What verifiers say; null accepts.</summary>
    public Error? Verdict { get; init; }

    /// <summary>True when snapshots need their parents from the start.</summary>
    public bool NeedsParents { get; init; }

    /// <summary>What an extraction without a parent waits for; null for nothing.</summary>
    public Func<Digest, Task>? Extraction { get; init; }

    /// <summary>Blobs whose bytes are not theirs.</summary>
    public HashSet<Digest> Forged { get; init; } = [];

    /// <summary>What an extraction onto a parent waits for.</summary>
    public Task AppliesAfter { get; init; } = Task.CompletedTask;

    /// <summary>Content reads and writes go here instead, when there is one.</summary>
    public IActorRef? ContentActor { get; set; }

    /// <summary>Actor of the turns.</summary>
    public int DownloadsMax { get; init; } = 16;
}

/// <summary>Answers what a pull asks of the tree.</summary>
internal sealed class FakeTree : ReceiveActor
{
    private readonly TreeScript _script;

    public FakeTree(TreeScript script)
    {
        _script = script;
        IActorRef downloads = Context.ActorOf(DownloadsActor.Props(script.DownloadsMax));
        Receive<DownloadCommands.Ask>(downloads.Forward);
        Receive<DownloadCommands.Leave>(downloads.Forward);
        Answer<LeaseCommands.Create, LeaseRecord>(create => $"lease {create.Id}", create => new LeaseRecord(create.Id, Labels.None, default, []));
        Answer<LeaseCommands.Delete, Nothing>(_ => "release", _ => Nothing.Value);
        Receive<VerifierCommands.Verify>(_ => Sender.Tell(script.Verdict is { } error ? Reply.Refused<Nothing>(error) : Reply.Done()));
        ReceiveContent();
        Receive<SnapshotterCommands.Prepare>(
            prepare => prepare.IsDetached && script.NeedsParents,
            _ => Sender.Tell(Reply.Refused<ImmutableArray<Mount>>(Error.NotImplemented("parents come first"))));
        Answer<SnapshotterCommands.Prepare, ImmutableArray<Mount>>(prepare => prepare.IsDetached ? "prepare detached" : $"prepare on {Short(prepare.Parent)}", _ => []);
        Receive<DiffCommands.Apply>(apply =>
        {
            script.Deeds.Enqueue("apply");
            script.AppliesAfter.PipeTo(Sender, success: () => Reply.Done(new Descriptor("tar", script.DiffIdOf(apply.Layer.Digest), 1)));
        });
        Receive<DiffCommands.Extract>(extract =>
        {
            script.Asked.Enqueue(extract);
            script.Deeds.Enqueue("extract");
            (script.Extraction?.Invoke(extract.Layer.Digest) ?? Task.CompletedTask).PipeTo(
                Sender,
                success: () => Reply.Done(new ExtractedLayer(new Descriptor("tar", script.DiffIdOf(extract.Layer.Digest), 1), ["", "etc"])),
                failure: cause => Reply.Refused<ExtractedLayer>(Error.Unknown(cause.Message)));
        });
        Answer<SnapshotterCommands.Commit, Nothing>(commit => $"commit {Short(commit.Name)}", _ => Nothing.Value);
        Answer<SnapshotCommands.Remove, Nothing>(_ => "remove snapshot", _ => Nothing.Value);
        Answer<ImageCommands.Create, ImageRecord>(
            create => $"image {create.Name}", create => new ImageRecord(create.Name, create.Target!, create.Labels, default, default));
    }

    /// <summary>The beginning of a chain id, or nothing.</summary>
    public static string Short(string chainId) => chainId.Length == 0 ? "nothing" : chainId[7..13];

    private void ReceiveContent()
    {
        Receive<IForIngest>(message => _script.ContentActor is not null, message => _script.ContentActor!.Forward(message));
        Receive<DocumentQueries.Read>(message => _script.ContentActor is not null, message => _script.ContentActor!.Forward(message));
        Dictionary<string, IngestState> ingests = [];
        Receive<IngestCommands.Open>(open =>
        {
            _script.Asked.Enqueue(open);
            if (_script.Content.ContainsKey(open.Expected))
            {
                Sender.Tell(Reply.Refused<IngestState>(Error.AlreadyExists($"content {open.Expected}")));
            }
            else if (!_script.Open.TryAdd(open.Reference, true))
            {
                Sender.Tell(Reply.Refused<IngestState>(Error.Unavailable($"ref {open.Reference} locked")));
            }
            else
            {
                ingests[open.Reference] = new IngestState(open.Reference, 0, open.Total, open.Expected, default, default);
                Sender.Tell(Reply.Done(ingests[open.Reference]));
            }
        });
        Receive<IngestCommands.Write>(write =>
        {
            ingests[write.Reference] = ingests[write.Reference] with { Offset = write.Offset + write.Bytes.Length };
            Sender.Tell(Reply.Done(ingests[write.Reference]));
        });
        Receive<IngestCommands.Commit>(commit => _script.Forged.Contains(commit.Expected), commit => Sender.Tell(
            Reply.Refused<CommittedContent>(Error.FailedPrecondition($"unexpected commit digest, expected {commit.Expected}"))));
        Answer<IngestCommands.Commit, CommittedContent>(commit => $"store {commit.Reference.Split('-')[0]}", commit =>
        {
            _script.Content[commit.Expected] = commit.Labels;
            _script.Open.TryRemove(commit.Reference, out _);
            return new CommittedContent(commit.Expected, commit.Total);
        });
        Receive<IngestCommands.Close>(close =>
        {
            _script.Open.TryRemove(close.Reference, out _);
            Sender.Tell(Reply.Done());
        });
        Receive<ContentCommands.Attach>(attach => Sender.Tell(_script.Content.TryGetValue(attach.Digest, out var labels)
            ? Reply.Done(new ContentRecord(attach.Digest, 1, labels, default, default))
            : Reply.Refused<ContentRecord>(Error.NotFound($"content digest {attach.Digest}"))));
        Receive<DocumentQueries.Read>(read => Sender.Tell(Reply.Refused<ReadOnlyMemory<byte>>(Error.NotFound($"content digest {read.Digest}"))));
        Receive<ContentCommands.AddSource>(source =>
        {
            _script.Asked.Enqueue(source);
            Sender.Tell(Reply.Done(new ContentRecord(source.Digest, 1, Labels.None, default, default)));
        });
        Answer<ContentCommands.Update, ContentRecord>(update => $"label {update.Labels.Keys.First()}", update =>
        {
            _script.Content[update.Digest] = _script.Content[update.Digest].SetItems(update.Labels);
            return new ContentRecord(update.Digest, 1, _script.Content[update.Digest], default, default);
        });
        Answer<ContentCommands.Add, ContentRecord>(_ => "add", add =>
        {
            _script.Content[add.Digest] = add.Labels;
            return new ContentRecord(add.Digest, add.Size, add.Labels, default, default);
        });
        Receive<ContentCommands.AttachIngest>(_ => Sender.Tell(Reply.Done()));
        Receive<ContentCommands.DetachIngest>(_ => Sender.Tell(Reply.Done()));
    }

    private void Answer<TRequest, TReply>(Func<TRequest, string> deed, Func<TRequest, TReply> reply)
        where TRequest : IRequest<TReply> => Receive<TRequest>(request =>
    {
        _script.Deeds.Enqueue(deed(request));
        _script.Asked.Enqueue(request);
        Sender.Tell(Reply.Done(reply(request)));
    });
}
