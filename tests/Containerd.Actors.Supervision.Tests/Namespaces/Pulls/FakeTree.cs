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
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Values;

namespace Containerd.Actors.Supervision.Tests.Namespaces.Pulls;

/// <summary>Answers what a pull asks of the tree, and remembers it in order.</summary>
internal sealed class FakeTree : ReceiveActor
{
    public FakeTree(ConcurrentQueue<string> deeds, Func<Digest, Digest> diffIdOf)
    {
        Dictionary<string, IngestState> ingests = [];
        Answer<LeaseCommands.Create, LeaseRecord>(deeds, _ => "lease", _ => new LeaseRecord("l", Labels.None, default, []));
        Answer<LeaseCommands.Delete, Nothing>(deeds, _ => "release", _ => Nothing.Value);
        Receive<IngestCommands.Open>(open =>
        {
            ingests[open.Reference] = new IngestState(open.Reference, 0, open.Total, open.Expected, default, default);
            Sender.Tell(Reply.Done(ingests[open.Reference]));
        });
        Receive<IngestCommands.Write>(write =>
        {
            ingests[write.Reference] = ingests[write.Reference] with { Offset = write.Offset + write.Bytes.Length };
            Sender.Tell(Reply.Done(ingests[write.Reference]));
        });
        Answer<IngestCommands.Commit, CommittedContent>(
            deeds, commit => $"store {commit.Reference.Split('-')[0]}", commit => new CommittedContent(commit.Expected, commit.Total));
        Receive<IngestCommands.Close>(_ => { });
        Answer<ContentCommands.Update, ContentRecord>(
            deeds, update => $"label {update.Labels.Keys.First()}", update => new ContentRecord(update.Digest, 1, update.Labels, default, default));
        Answer<SnapshotterCommands.Prepare, ImmutableArray<Mount>>(deeds, prepare => $"prepare on {Short(prepare.Parent)}", _ => []);
        Answer<DiffCommands.Apply, Descriptor>(deeds, _ => "apply", apply => new Descriptor("tar", diffIdOf(apply.Layer.Digest), 1));
        Answer<SnapshotterCommands.Commit, Nothing>(deeds, commit => $"commit {Short(commit.Name)}", _ => Nothing.Value);
        Answer<SnapshotCommands.Remove, Nothing>(deeds, _ => "remove snapshot", _ => Nothing.Value);
        Answer<ImageCommands.Create, ImageRecord>(
            deeds, create => $"image {create.Name}", create => new ImageRecord(create.Name, create.Target!, create.Labels, default, default));
    }

    /// <summary>The beginning of a chain id, or nothing.</summary>
    public static string Short(string chainId) => chainId.Length == 0 ? "nothing" : chainId[7..13];

    private void Answer<TRequest, TReply>(ConcurrentQueue<string> deeds, Func<TRequest, string> deed, Func<TRequest, TReply> reply)
        where TRequest : IRequest<TReply> => Receive<TRequest>(request =>
    {
        deeds.Enqueue(deed(request));
        Sender.Tell(Reply.Done(reply(request)));
    });
}
