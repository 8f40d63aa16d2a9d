// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Akka.Actor;
using Containerd.Actors.Core.Diff;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Containers;
using Containerd.Actors.Protocol.Content;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Tasks;
using Containerd.Actors.Protocol.Values;
using Containerd.Actors.Storage.Checkpoints;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Containerd.Actors.Supervision.Checkpoints;

/// <summary>One image on its way into content: have the task write it, archive it, store the spec beside it, answer, end.</summary>
[SuppressMessage("Design", "CA1001", Justification = "An actor ends in PostStop, where the token source is disposed.")]
internal sealed class CheckpointOperation : UntypedActor
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(30);

    private readonly IActorRef _tree;
    private readonly CheckpointDirectories _directories;
    private readonly CheckpointCommands.ToContent _command;
    private readonly IActorRef _replyTo;
    private readonly CancellationTokenSource _stopping = new(Deadline);

    public CheckpointOperation(IActorRef tree, CheckpointDirectories directories, CheckpointCommands.ToContent command, IActorRef replyTo)
    {
        (_tree, _directories, _command, _replyTo) = (tree, directories, command, replyTo);
        RunAsync().PipeTo(Self, failure: e => Reply.Refused<ImmutableArray<Descriptor>>(Error.Unknown(e.Message)));
    }

    public static Props Props(IActorRef tree, CheckpointDirectories directories, CheckpointCommands.ToContent command, IActorRef replyTo) =>
        Akka.Actor.Props.Create(() => new CheckpointOperation(tree, directories, command, replyTo));

    protected override void OnReceive(object message)
    {
        _replyTo.Tell(message);
        Context.Stop(Self);
    }

    protected override void PostStop()
    {
        _stopping.Cancel();
        _stopping.Dispose();
    }

    private async Task<Reply<ImmutableArray<Descriptor>>> RunAsync()
    {
        CheckpointDirectory directory = await _directories.MakeAsync(_stopping.Token).ConfigureAwait(false);
        try
        {
            ContainerRecord container = await AskAsync(
                new ContainerQueries.Get(_command.Namespace, _command.ContainerId, _command.By)).ConfigureAwait(false);
            await AskAsync(new TaskCommands.Checkpoint(
                _command.Namespace, _command.ContainerId, directory.Image, _command.Options, _command.By)).ConfigureAwait(false);
            string reference = $"checkpoint-{_command.ContainerId}-{Path.GetFileName(directory.Path)}";
            Descriptor image = await AskAsync(new DiffCommands.Create(
                _command.Namespace,
                [Bind(directory.Nothing)],
                [Bind(directory.Image)],
                Storage.Diff.AppliedLayer.MediaType,
                reference,
                Labels.None,
                null,
                _command.By)).ConfigureAwait(false);
            Descriptor config = await StoreAsync(reference + "-config", ToAny(container.Spec)).ConfigureAwait(false);
            return Reply.Done<ImmutableArray<Descriptor>>([image with { MediaType = CheckpointCommands.ImageType }, config]);
        }
        catch (RefusedException refused)
        {
            return Reply.Refused<ImmutableArray<Descriptor>>(refused.Error);
        }
        finally
        {
            await CheckpointDirectories.RemoveAsync(directory).ConfigureAwait(false);
        }
    }

    private async Task<Descriptor> StoreAsync(string reference, byte[] document)
    {
        Descriptor descriptor = new(CheckpointCommands.ConfigType, Digest.Of(document), document.Length);
        try
        {
            await AskAsync(new IngestCommands.Open(_command.Namespace, reference, document.Length, descriptor.Digest, _command.By)).ConfigureAwait(false);
            await AskAsync(new IngestCommands.Write(_command.Namespace, reference, 0, document)).ConfigureAwait(false);
            await AskAsync(new IngestCommands.Commit(
                _command.Namespace, reference, document.Length, descriptor.Digest, Labels.None, _command.By)).ConfigureAwait(false);
        }
        catch (RefusedException refused) when (refused.Error.Kind == ErrorKind.AlreadyExists)
        {
            // The same spec is stored already; the caller's lease keeps it all the same.
        }
        finally
        {
            _tree.Tell(new IngestCommands.Close(_command.Namespace, reference, Abort: false));
        }

        return descriptor;
    }

    private async Task<T> AskAsync<T>(IRequest<T> request) =>
        (await _tree.Ask<Reply<T>>(request, Timeout.InfiniteTimeSpan, _stopping.Token).ConfigureAwait(false)).Value;

    private static Mount Bind(string directory) => new("bind", directory, "", ["rbind", "ro"]);

    private static byte[] ToAny(AnyValue? spec) => spec is null
        ? []
        : new Any { TypeUrl = spec.TypeUrl, Value = ByteString.CopyFrom(spec.Value.Span) }.ToByteArray();
}
