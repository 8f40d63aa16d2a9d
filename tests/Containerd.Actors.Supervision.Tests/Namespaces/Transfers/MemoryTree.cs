// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Collections.Immutable;
using Akka.Actor;
using Containerd.Actors.Core.Content;
using Containerd.Actors.Core.Diff;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Content;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Values;

namespace Containerd.Actors.Supervision.Tests.Namespaces.Transfers;

/// <summary>The bytes of a tree that lives in memory.</summary>
internal sealed class MemoryContent : IContentReader
{
    public ConcurrentDictionary<Digest, byte[]> Blobs { get; } = new();

    /// <summary>Uploads are closed when this has come.</summary>
    public Task Closes { get; set; } = Task.CompletedTask;

    public Stream OpenRead(Digest digest, long offset) => Blobs.TryGetValue(digest, out byte[]? bytes)
        ? new MemoryStream(bytes[(int)offset..])
        : throw new RefusedException(Error.NotFound($"content digest {digest}"));
}

/// <summary>A tree whose records are those of a real namespace, whose bytes are in memory, and whose snapshots are words.</summary>
internal sealed class MemoryTree : ReceiveActor
{
    private readonly Dictionary<string, MemoryStream> _ingests = [];

    /// <param name="ns">The namespace.</param>
    /// <param name="content">Where bytes go.</param>
    /// <param name="deeds">What was done to snapshots.</param>
    /// <param name="diffIds">What layers turn out to be when they are extracted.</param>
    public MemoryTree(IActorRef ns, MemoryContent content, ConcurrentQueue<string> deeds, IReadOnlyDictionary<Digest, Digest> diffIds)
    {
        Receive<IngestCommands.Open>(open =>
        {
            if (!open.Expected.IsEmpty && content.Blobs.ContainsKey(open.Expected))
            {
                Sender.Tell(Reply.Refused<IngestState>(Error.AlreadyExists($"content {open.Expected}")));
                return;
            }

            _ingests[open.Reference] = new MemoryStream();
            Sender.Tell(Reply.Done(new IngestState(open.Reference, 0, open.Total, default, default, default)));
        });
        Receive<IngestCommands.Write>(write =>
        {
            _ingests[write.Reference].Write(write.Bytes.Span);
            Sender.Tell(Reply.Done(new IngestState(write.Reference, _ingests[write.Reference].Length, 0, default, default, default)));
        });
        ReceiveAsync<IngestCommands.Commit>(async commit =>
        {
            IActorRef asker = Sender;
            byte[] bytes = _ingests[commit.Reference].ToArray();
            if (Digest.Of(bytes) != commit.Expected)
            {
                asker.Tell(Reply.Refused<CommittedContent>(Error.FailedPrecondition($"unexpected commit digest {Digest.Of(bytes)}, expected {commit.Expected}")));
                return;
            }

            content.Blobs[commit.Expected] = bytes;
            Reply<ContentRecord> added = await ns.Ask<Reply<ContentRecord>>(
                new ContentCommands.Add(commit.Namespace, commit.Expected, bytes.Length, commit.Labels, "", commit.By));
            asker.Tell(added is Refused<ContentRecord> refused
                ? Reply.Refused<CommittedContent>(refused.Error)
                : Reply.Done(new CommittedContent(commit.Expected, bytes.Length)));
        });
        Receive<IngestCommands.Close>(close =>
        {
            deeds.Enqueue(close.Abort ? $"give up {close.Reference}" : "keep");
            content.Closes.PipeTo(Sender, success: () => Reply.Done());
        });
        Receive<SnapshotterCommands.Prepare>(prepare =>
        {
            deeds.Enqueue($"prepare on {(prepare.Parent.Length > 0 ? prepare.Parent[7..13] : "nothing")}");
            Sender.Tell(Reply.Done(ImmutableArray<Mount>.Empty));
        });
        Receive<DiffCommands.Apply>(apply =>
            Sender.Tell(Reply.Done(new Descriptor("tar", diffIds.GetValueOrDefault(apply.Layer.Digest, apply.Layer.Digest), 1))));
        Receive<DiffCommands.Extract>(extract => Sender.Tell(Reply.Done(
            new ExtractedLayer(new Descriptor("tar", diffIds.GetValueOrDefault(extract.Layer.Digest, extract.Layer.Digest), 1), []))));
        Receive<SnapshotterCommands.Commit>(commit =>
        {
            deeds.Enqueue($"commit {commit.Name[7..13]}");
            Sender.Tell(Reply.Done());
        });
        Receive<SnapshotCommands.Remove>(remove =>
        {
            deeds.Enqueue("remove snapshot");
            Sender.Tell(Reply.Done());
        });
        ReceiveAny(ns.Forward);
    }
}
