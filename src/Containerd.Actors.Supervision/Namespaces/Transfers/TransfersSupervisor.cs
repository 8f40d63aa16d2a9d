// SPDX-License-Identifier: Apache-2.0

using System.Security.Cryptography;
using Akka.Actor;
using Containerd.Actors.Core.Content;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.Transfers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Transfers;
using Containerd.Actors.Storage.Diff.Tar;
using Containerd.Actors.Supervision.Namespaces.Pulls;

namespace Containerd.Actors.Supervision.Namespaces.Transfers;

/// <summary>What transfers are built on.</summary>
/// <param name="Reader">Reads stored content.</param>
/// <param name="Streams">Finds the connections of archives.</param>
/// <param name="Sinks">Where pushes go.</param>
/// <param name="Settings">Bounds.</param>
public sealed record TransferParts(IContentReader Reader, IByteStreams Streams, ImageSinks Sinks, TransferSettings Settings);

/// <summary>The pushes, imports and exports of one namespace: one child each, which belongs to whoever asked.</summary>
public sealed class TransfersSupervisor : UntypedActor
{
    private readonly string _namespace;
    private readonly IActorRef _tree;
    private readonly TransferParts _parts;
    private readonly PullSettings _pulls;
    private readonly Func<string, IReadOnlyList<string>> _liveEntities;
    private readonly TimeProvider _time;

    /// <summary>Makes the supervisor.</summary>
    public TransfersSupervisor(
        string ns, IActorRef tree, TransferParts parts, PullSettings pulls, Func<string, IReadOnlyList<string>> liveEntities, TimeProvider time) =>
        (_namespace, _tree, _parts, _pulls, _liveEntities, _time) = (ns, tree, parts, pulls, liveEntities, time);

    /// <summary>The actor <c>/user/containerd/namespaces/NS/transfers</c>.</summary>
    public static Props Props(
        string ns, IActorRef tree, TransferParts parts, PullSettings pulls, Func<string, IReadOnlyList<string>> liveEntities, TimeProvider time) =>
        Akka.Actor.Props.Create(() => new TransfersSupervisor(ns, tree, parts, pulls, liveEntities, time));

    /// <inheritdoc />
    protected override void PreStart()
    {
        // A transfer that a killed daemon left is woken to record its failure.
        string prefix = EntityIds.Transfer(_namespace, "");
        foreach (string left in _liveEntities(prefix))
        {
            Start(left[prefix.Length..]);
        }
    }

    /// <inheritdoc />
    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case TransferCommands.Transfer transfer: Begin(transfer); break;
            default: Unhandled(message); break;
        }
    }

    /// <inheritdoc />
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(_ => Directive.Stop);

    private void Begin(TransferCommands.Transfer transfer)
    {
        if (Context.GetChildren().Count() >= _parts.Settings.ChildrenMax)
        {
            Sender.Tell(Reply.Refused<Nothing>(new Error(
                ErrorKind.ResourceExhausted, $"namespace \"{_namespace}\": {_parts.Settings.ChildrenMax} transfers are under way ({TransferSettings.Path}.children-max)")));
            return;
        }

        string kind = transfer.GetType().Name.ToLowerInvariant();
        Start($"{kind}-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))}").Forward(transfer);
    }

    private IActorRef Start(string operation) => Context.ActorOf(TransferActor.Props(operation, _namespace, Work, _time), operation);

    private ITransferWork Work(TransferCommands.Transfer transfer, IActorRef asker)
    {
        TreeAsk tree = new(_tree, transfer.GetType().Name.ToLowerInvariant(), _pulls.StepTimeout);
        ContentAccess content = new(tree, _parts.Reader, _namespace, transfer.By, _pulls, _time);
        ImageWalk walk = new(content, _pulls.DocumentBytesMax);
        TransferProgress progress = new(asker, _pulls.ProgressInterval, _time);
        LayerLimits limits = LayerLimits.Default with { MaxEntries = _parts.Settings.ArchiveEntriesMax, MaxSize = _parts.Settings.ArchiveBytesMax };
        return transfer switch
        {
            TransferCommands.Push push => new PushWork(
                push, tree, content, walk, _parts.Sinks, Credentials(push, asker), _parts.Settings.UploadsMax, progress),
            TransferCommands.Import import => new ImportWork(
                import, tree, content, walk, Unpacking(import, tree, content), _parts.Streams, _pulls, limits, progress),
            TransferCommands.Export export => new ExportWork(export, content, walk, _parts.Streams, progress),
            _ => throw new System.Diagnostics.UnreachableException(),
        };
    }

    private LayerUnpacking Unpacking(TransferCommands.Import import, TreeAsk tree, ContentAccess content) => new(
        new UnpackStep(tree, (digest, labels, _) => content.LabelAsync(digest, labels, CancellationToken.None), _namespace, _time),
        content,
        _pulls.UnpacksMax,
        import.By);

    private AskedCredentials? Credentials(TransferCommands.Push push, IActorRef asker) =>
        push.Source.AsksForCredentials ? new AskedCredentials(asker, _pulls.StepTimeout) : null;
}
