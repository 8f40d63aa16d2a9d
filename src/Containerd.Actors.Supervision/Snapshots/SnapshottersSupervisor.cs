// SPDX-License-Identifier: Apache-2.0

using Akka.Actor;
using Containerd.Actors.Core.GarbageCollection;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Storage.Snapshots;

namespace Containerd.Actors.Supervision.Snapshots;

/// <summary>Owns the snapshotters of the node, one child each, and their part in garbage collection.</summary>
public sealed class SnapshottersSupervisor : UntypedActor
{
    private readonly Dictionary<string, IActorRef> _snapshotters;
    private long _generation;

    public SnapshottersSupervisor(
        IEnumerable<ISnapshotBackend> backends,
        IActorRef executor,
        IActorRef namespaces,
        IEnumerable<(IProxiedSnapshotter Plugin, ProxySettings Settings)> proxied,
        TimeProvider time)
    {
        _snapshotters = backends.ToDictionary(
            backend => backend.Name,
            backend => Context.ActorOf(SnapshotterActor.Props(backend, executor, namespaces), backend.Name));
        foreach ((IProxiedSnapshotter plugin, ProxySettings settings) in proxied)
        {
            _snapshotters.Add(plugin.Name, Context.ActorOf(ProxySnapshotterActor.Props(plugin, namespaces, settings, time), plugin.Name));
        }
    }

    /// <summary>The actor <c>/user/containerd/snapshots</c>.</summary>
    public static Props Props(
        IEnumerable<ISnapshotBackend> backends,
        IActorRef executor,
        IActorRef namespaces,
        IEnumerable<(IProxiedSnapshotter Plugin, ProxySettings Settings)> proxied,
        TimeProvider time) =>
        Akka.Actor.Props.Create(() => new SnapshottersSupervisor(backends, executor, namespaces, proxied, time));

    /// <inheritdoc />
    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case IForSnapshotter operation: Route(operation); break;
            case SweepCommands.BeginSnapshots: Begin(); break;
            case SweepCommands.SweepSnapshots sweep: Sweep(sweep); break;
            default: Unhandled(message); break;
        }
    }

    private void Route(IForSnapshotter operation)
    {
        if (_snapshotters.TryGetValue(operation.Snapshotter, out IActorRef? snapshotter))
        {
            snapshotter.Forward(operation);
            return;
        }

        Sender.Tell(operation.Refusal(Error.Invalid($"snapshotter not loaded: {operation.Snapshotter}")));
    }

    private void Begin()
    {
        _generation++;
        foreach (IActorRef snapshotter in _snapshotters.Values)
        {
            snapshotter.Tell(new SnapshotterActor.Generation(_generation));
        }

        Sender.Tell(Reply.Done(_generation));
    }

    private void Sweep(SweepCommands.SweepSnapshots sweep)
    {
        IActorRef gathering = Context.ActorOf(SweepGathering.Props(_snapshotters.Count, Sender));
        foreach ((string name, IActorRef snapshotter) in _snapshotters)
        {
            snapshotter.Tell(new SnapshotterActor.Sweep(sweep.Keep.GetValueOrDefault(name, []), sweep.Generation, sweep.IsDry), gathering);
        }
    }
}
