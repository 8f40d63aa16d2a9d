// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Akka.Actor;
using Containerd.Actors.Core.Executor;
using Containerd.Actors.Core.GarbageCollection;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Storage.Effects;
using Containerd.Actors.Storage.Snapshots;

namespace Containerd.Actors.Supervision.Snapshots;

/// <summary>Owns the directories of one snapshotter and the numbers they get. The records are the namespaces'.</summary>
/// <remarks>
/// A directory is made before its record is stored and removed after its record is gone, so a crash between the two leaves a
/// directory without a record, which the next sweep removes, and never a record without a directory.
/// </remarks>
public sealed class SnapshotterActor : UntypedActor, IWithUnboundedStash
{
    private readonly ISnapshotBackend _backend;
    private readonly IActorRef _executor;
    private readonly IActorRef _namespaces;
    private readonly Dictionary<IActorRef, long> _preparing = [];
    private long _lastNumber;

    // What the mark that is under way cannot know: numbers above the bound, and those that were being prepared when it began.
    private long _generation;
    private long _bound;
    private ImmutableHashSet<long> _unsettled = [];

    public SnapshotterActor(ISnapshotBackend backend, IActorRef executor, IActorRef namespaces)
    {
        (_backend, _executor, _namespaces) = (backend, executor, namespaces);
        // Numbers on disk are never given again, whether or not a record is left of them.
        executor.Tell(new Execute(new SnapshotEffects.List(backend.Name)));
        Become(Counting);
    }

    /// <summary>A mark begins: what is made from now on is not its business.</summary>
    internal sealed record Generation(long Number);

    /// <summary>Removes directories that no namespace knows and that the mark could have seen.</summary>
    internal sealed record Sweep(ImmutableHashSet<long> Keep, long Generation, bool IsDry);

    /// <inheritdoc />
    public IStash Stash { get; set; } = null!;

    /// <summary>The actor <c>/user/containerd/snapshots/NAME</c>.</summary>
    public static Props Props(ISnapshotBackend backend, IActorRef executor, IActorRef namespaces) =>
        Akka.Actor.Props.Create(() => new SnapshotterActor(backend, executor, namespaces));

    /// <inheritdoc />
    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case SnapshotterCommands.Prepare prepare: Prepare(prepare); break;
            case SnapshotterCommands.Cleanup: Cleanup(); break;
            case IForSnapshotter operation: Begin(operation, 0); break;
            case Terminated ended: _preparing.Remove(ended.ActorRef); break;
            case Generation generation: OnGeneration(generation); break;
            case Sweep sweep: OnSweep(sweep); break;
            default: Unhandled(message); break;
        }
    }

    private void Prepare(SnapshotterCommands.Prepare prepare)
    {
        IActorRef operation = Begin(prepare, ++_lastNumber);
        _preparing[operation] = _lastNumber;
        Context.Watch(operation);
    }

    private IActorRef Begin(IForSnapshotter operation, long number) =>
        Context.ActorOf(SnapshotOperation.Props(operation, number, Sender, _backend, _executor, _namespaces));

    // What is being prepared now has no record yet; whoever asks the namespaces later than this learns of everything else.
    private void Cleanup() => Context.ActorOf(CleanupOperation.Props(
        _backend.Name, [.. _preparing.Values], _lastNumber, Sender, _executor, _namespaces));

    private void OnGeneration(Generation generation)
    {
        _generation = generation.Number;
        _bound = _lastNumber;
        _unsettled = [.. _preparing.Values];
    }

    private void OnSweep(Sweep sweep)
    {
        if (sweep.Generation == _generation)
        {
            Context.ActorOf(SweepOperation.Props(_backend.Name, sweep.Keep.Union(_unsettled), _bound, sweep.IsDry, Sender, _executor));
        }
        else
        {
            Sender.Tell(Reply.Done(new Swept(0, 0)));
        }
    }

    private void Counting(object message)
    {
        switch (message)
        {
            case Outcome.Done { Value: IReadOnlyList<long> numbers }:
                _lastNumber = numbers.Count == 0 ? 0 : numbers[^1];
                Become(OnReceive);
                Stash.UnstashAll();
                break;
            case Outcome outcome:
                throw new InvalidOperationException($"snapshotter {_backend.Name}: {outcome.Refusal}");
            default:
                Stash.Stash();
                break;
        }
    }
}
