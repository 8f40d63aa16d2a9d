// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Akka.Actor;
using Containerd.Actors.Core.Diff;
using Containerd.Actors.Core.GarbageCollection;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Protocol.Containers;
using Containerd.Actors.Protocol.Content;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Events;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Pulls;
using Containerd.Actors.Protocol.Runs;
using Containerd.Actors.Protocol.Sandboxes;
using Containerd.Actors.Protocol.Tasks;
using Containerd.Actors.Protocol.Transfers;
using Containerd.Actors.Supervision.Checkpoints;
using Containerd.Actors.Supervision.Content;
using Containerd.Actors.Supervision.Diff;
using Containerd.Actors.Supervision.Downloads;
using Containerd.Actors.Supervision.Events;
using Containerd.Actors.Supervision.Executor;
using Containerd.Actors.Supervision.GarbageCollection;
using Containerd.Actors.Supervision.Mounts;
using Containerd.Actors.Supervision.Namespaces;
using Containerd.Actors.Supervision.Namespaces.Containers;
using Containerd.Actors.Supervision.Namespaces.Pulls;
using Containerd.Actors.Supervision.Namespaces.Runs;
using Containerd.Actors.Supervision.Namespaces.Sandboxes;
using Containerd.Actors.Supervision.Namespaces.Sandboxes.Sandboxers;
using Containerd.Actors.Supervision.Namespaces.Transfers;
using Containerd.Actors.Supervision.Node;
using Containerd.Actors.Supervision.Restarts;
using Containerd.Actors.Supervision.Snapshots;
using Containerd.Actors.Supervision.Verifiers;

namespace Containerd.Actors.Supervision;

/// <summary>The root of the tree: owns everything below it and knows who answers what.</summary>
/// <remarks>
/// It holds no state, so that restarting a child never touches another. A child that failed is restarted at once; one that stopped,
/// as persistent actors do when the journal fails them, is started anew after a pause.
/// </remarks>
public sealed class ContainerdSupervisor : UntypedActor, IWithTimers
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    private readonly Dictionary<string, Func<Props>> _children = [];
    private readonly TreeParts _parts;
    private readonly PodSandboxer _podSandboxer;

    // Namespaces are made later, in the context of their own supervisor.
    private readonly IActorRef _self;

    public ContainerdSupervisor(TreeParts parts)
    {
        _parts = parts;
        _self = Self;
        _podSandboxer = new PodSandboxer(_self, parts.Sandboxes, parts.Time);
        Add("executor", () => SyscallExecutor.Props(parts.Executor, parts.Runner));
        Add("namespaces", () => NamespacesSupervisor.Props(parts.LiveEntities, Namespace, parts.Namespaces, parts.Time));
        Add("content", () => ContentActor.Props(Child("executor"), Child("namespaces"), parts.Content, parts.Time));
        Add("snapshots", () => SnapshottersSupervisor.Props(
            parts.Snapshotters, Child("executor"), Child("namespaces"), parts.ProxiedSnapshotters, parts.Time));
        Add("mounts", () => MountsActor.Props(Child("executor"), Child("namespaces"), parts.Time));
        Add("diff", () => DiffActor.Props(Child("executor"), Child("namespaces"), Child("content"), parts.Differs));
        Add("downloads", () => DownloadsActor.Props(parts.Pulls.DownloadsMax));
        Add("verifiers", () => VerifiersActor.Props(Child("executor"), parts.Pulls.Verifiers));
        Add("events", () => EventExchange.Props(ShimEvents.ToSignal, Child("namespaces"), parts.Time));
        Add("garbage-collection", () =>
            GarbageCollector.Props(Child("namespaces"), Child("content"), Child("snapshots"), Child("mounts"), parts.GarbageCollection, parts.Time));
        Add("restart-monitor", () => RestartMonitor.Props(_self, parts.Restarts));
        Add("checkpoints", () => CheckpointsActor.Props(_self, parts.Checkpoints));
        Add("node", () => NodeActor.Props(parts.Version, parts.Time));
    }

    /// <inheritdoc />
    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>The actor <c>/user/containerd</c>.</summary>
    public static Props Props(TreeParts parts) => Akka.Actor.Props.Create(() => new ContainerdSupervisor(parts));

    /// <inheritdoc />
    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case IForSnapshotter: Forward("snapshots", message); break;
            case IForMounts: Forward("mounts", message); break;
            case IForIngest or IngestCommands.List or DocumentQueries.Read: Forward("content", message); break;
            case DownloadCommands.Ask or DownloadCommands.Leave: Forward("downloads", message); break;
            case VerifierCommands.Verify: Forward("verifiers", message); break;
            case IForDiffer: Forward("diff", message); break;
            case EventExchange.Stored or EventCommands.Subscribe or EventCommands.Publish or EventCommands.Forward: Forward("events", message); break;
            case GarbageCommands.Run or GarbageCommands.Explain: Forward("garbage-collection", message); break;
            case CheckpointCommands.ToContent: Forward("checkpoints", message); break;
            case NodeActor.Stop: Forward("node", message); break;
            case NamespaceQueries.List or IInNamespace: Forward("namespaces", message); break;
            case Terminated stopped: Timers.StartSingleTimer(stopped.ActorRef.Path.Name, new StartAgain(stopped.ActorRef.Path.Name), Pause); break;
            case StartAgain again: Start(again.Name); break;
            default: Unhandled(message); break;
        }
    }

    private Props Namespace(string name)
    {
        NamespaceChild containers = new(
            "containers",
            ContainersSupervisor.PropsOf(name, new LiveEntityList(_parts.LiveEntities), _parts.Shims, _parts.Containers, _parts.Time),
            static message => message is IForContainer or ContainerQueries.List or TaskQueries.List,
            HoldsRoots: true);
        NamespaceChild pulls = new(
            "pulls",
            PullsSupervisor.Props(name, _self, _parts.Sources, _parts.Pulls, _parts.LiveEntities, _parts.Time),
            static message => message is IForPulls,
            HoldsRoots: false);
        NamespaceChild transfers = new(
            "transfers",
            TransfersSupervisor.Props(name, _self, _parts.Transfers, _parts.Pulls, _parts.LiveEntities, _parts.Time),
            static message => message is IForTransfers,
            HoldsRoots: false);
        NamespaceChild runs = new(
            "runs",
            RunsSupervisor.Props(name, _self, _parts.Transfers.Reader, _parts.Runs, _parts.Pulls, _parts.Time),
            static message => message is IForRuns,
            HoldsRoots: false);
        NamespaceChild sandboxes = new(
            "sandboxes",
            SandboxesSupervisor.PropsOf(name, [.. _parts.Sandboxers, _podSandboxer], _parts.LiveEntities, _parts.Sandboxes, _parts.Time),
            static message => message is IForSandbox or SandboxQueries.List,
            HoldsRoots: true);
        return NamespaceActor.Props(name, _parts.Namespaces, [containers, sandboxes, pulls, transfers, runs], _parts.Time);
    }

    private void Add(string name, Func<Props> props)
    {
        _children.Add(name, props);
        Start(name);
    }

    private void Start(string name) => Context.Watch(Context.ActorOf(_children[name](), name));

    private static IActorRef Child(string name) => Context.Child(name);

    private void Forward(string name, object message)
    {
        IActorRef child = Child(name);
        if (!child.IsNobody())
        {
            child.Forward(message);
        }
        else if (message is IRequest request)
        {
            Sender.Tell(request.Refusal(Error.Unavailable($"{name} is being started again")));
        }
    }

    private sealed record StartAgain(string Name);

    private sealed class LiveEntityList(Func<string, IReadOnlyList<string>> list) : ILiveEntities
    {
        public Task<ImmutableArray<string>> ListAsync(string prefix, CancellationToken cancellationToken) =>
            Task.FromResult(list(prefix).ToImmutableArray());
    }
}
