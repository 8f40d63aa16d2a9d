// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Akka.Actor;
using Akka.Event;
using Akka.Persistence;
using Containerd.Actors.Core.Content;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.GarbageCollection;
using Containerd.Actors.Core.Images;
using Containerd.Actors.Core.Leases;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Supervision.Entities;
using Error = Containerd.Actors.Protocol.Errors.Error;

namespace Containerd.Actors.Supervision.Namespaces;

/// <summary>One namespace: owns its records, knows what its containers keep, and supervises what lives in it.</summary>
/// <remarks>
/// <code>
/// starting --recovered--> running --journal failed--> stopped (the supervisor starts it anew)
/// </code>
/// Persistence id <c>namespace/{name}</c>. What containers keep is not stored here: it is in their own records, and they announce
/// it whenever they start. Until all did, garbage collection and deletion are refused.
/// </remarks>
public sealed class NamespaceActor : EntityActor<NamespaceState>, IWithTimers
{
    private static readonly TimeSpan ChildPause = TimeSpan.FromSeconds(1);

    private readonly string _name;
    private readonly NamespaceSettings _settings;
    private readonly ImmutableArray<NamespaceChild> _children;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private ImmutableDictionary<string, ContainerRoot> _roots = ImmutableDictionary.Create<string, ContainerRoot>(StringComparer.Ordinal);

    // Children that hold roots and have not said yet that they told all of them.
    private ImmutableHashSet<string> _incomplete;
    private long _sinceSavepoint;

    /// <summary>Makes the actor of a namespace.</summary>
    /// <param name="name">The namespace.</param>
    /// <param name="settings">Limits and times.</param>
    /// <param name="children">What lives below it.</param>
    /// <param name="time">The clock.</param>
    public NamespaceActor(string name, NamespaceSettings settings, ImmutableArray<NamespaceChild> children, TimeProvider time)
        : base(EntityIds.Namespace(name), name, new NamespaceState(name), time)
    {
        _name = name;
        _settings = settings;
        _children = children;
        _incomplete = [.. children.Where(child => child.HoldsRoots).Select(child => child.Name)];
    }

    /// <inheritdoc />
    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>How the actor of a namespace is made.</summary>
    public static Props Props(string name, NamespaceSettings settings, ImmutableArray<NamespaceChild> children, TimeProvider time) =>
        Akka.Actor.Props.Create(() => new NamespaceActor(name, settings, children, time));

    /// <inheritdoc />
    protected override NamespaceState Apply(NamespaceState state, DomainEvent e) => state.Apply(e);

    /// <inheritdoc />
    protected override NamespaceState? FromSavepoint(object savepoint) =>
        savepoint is Savepoint saved ? saved.Events.Aggregate(new NamespaceState(_name), (state, e) => state.Apply(e)) : null;

    /// <inheritdoc />
    protected override void OnRecovered()
    {
        foreach (NamespaceChild child in _children)
        {
            Start(child);
        }
    }

    /// <inheritdoc />
    protected override void OnStored(DomainEvent e)
    {
        if (++_sinceSavepoint >= _settings.SavepointEvery)
        {
            _sinceSavepoint = 0;
            SaveSnapshot(Stored.ToSavepoint());
        }
    }

    /// <inheritdoc />
    protected override void OnCommand(object message)
    {
        switch (message)
        {
            case NamespaceQueries.GetState:
                Sender.Tell(Reply.Done(Stored));
                break;
            case NamespaceQueries.Explain explain:
                Sender.Tell(Mark.Of(Stored, _roots.Values, explain.Ingests, Time.GetUtcNow()).Explain(explain.Name));
                break;
            case ContainerRoots.Set set:
                _roots = _roots.SetItem(set.Root.ContainerId, set.Root);
                Change(Decided.Decide(set), set);
                Changed(isDeletion: false);
                break;
            case ContainerRoots.Remove remove:
                _roots = _roots.Remove(remove.ContainerId);
                Settle(Decision.Done([]), remove.Caller);
                Changed(isDeletion: true);
                break;
            case ContainerRoots.Complete complete:
                _incomplete = _incomplete.Remove(complete.Child);
                break;
            case NamespaceCommands.Collect or NamespaceCommands.Delete or NamespaceQueries.Preview when !_incomplete.IsEmpty && Stored.Exists:
                Sender.Tell(((IRequest)message).Refusal(Error.Unavailable($"namespace \"{_name}\": its containers are being recovered")));
                break;
            case NamespaceQueries.Preview preview:
                Sender.Tell(Reply.Done(Stored.Preview(preview, _roots.Values, Time.GetUtcNow())));
                break;
            case NamespaceCommands.Collect collect:
                Settle(Decided.Decide(collect, _roots.Values, Time.GetUtcNow()), collect.Caller);
                break;
            case INamespaceCommand command:
                OnChange(command);
                break;
            case SaveSnapshotSuccess saved:
                DeleteSnapshots(new SnapshotSelectionCriteria(saved.Metadata.SequenceNr - 1));
                break;
            case SaveSnapshotFailure failed:
                _log.Warning(failed.Cause, "{0}: savepoint at {1} was not stored; recovery will take longer", PersistenceId, failed.Metadata.SequenceNr);
                break;
            case DeleteSnapshotsFailure failed:
                _log.Warning(failed.Cause, "{0}: old savepoints were not removed", PersistenceId);
                break;
            case DeleteSnapshotsSuccess:
                break;
            case Terminated ended:
                _log.Error("{0} stopped; it is started again in {1}", ended.ActorRef.Path, ChildPause);
                Timers.StartSingleTimer(ended.ActorRef.Path.Name, new StartChild(ended.ActorRef.Path.Name), ChildPause);
                break;
            case StartChild start:
                Start(_children.Single(child => child.Name == start.Name));
                break;
            default:
                OnForeign(message);
                break;
        }
    }

    private void OnChange(INamespaceCommand message)
    {
        DateTimeOffset now = Time.GetUtcNow();
        switch (message)
        {
            case NamespaceCommands.Create command:
                Change(Decided.Decide(command), command);
                break;
            case NamespaceCommands.Update command:
                Change(Decided.Decide(command), command);
                break;
            case NamespaceCommands.Delete command:
                Change(Decided.Decide(command, _roots.Values.Count(root => root.IsContainer)), command);
                break;
            case ImageCommands.Create command:
                Change(Decided.Decide(command, now), command);
                break;
            case ImageCommands.Update command:
                Change(Decided.Decide(command, now), command);
                break;
            case ImageCommands.Delete command:
                Change(Decided.Decide(command), command, isDeletion: true);
                break;
            case LeaseCommands.Create command:
                Change(Decided.Decide(command.Id.Length > 0 ? command : command with { Id = LeaseIds.Next(now) }, now), command);
                break;
            case LeaseCommands.Delete command:
                Change(Decided.Decide(command), command, isDeletion: true);
                break;
            case LeaseCommands.AddResource command:
                Change(Decided.Decide(command), command);
                break;
            case LeaseCommands.RemoveResource command:
                Change(Decided.Decide(command), command, isDeletion: true);
                break;
            case ContentCommands.Add command:
                Change(Decided.Decide(command, now), command);
                break;
            case ContentCommands.Attach command:
                Change(Decided.Decide(command), command);
                break;
            case ContentCommands.AttachIngest command:
                Change(Decided.Decide(command), command);
                break;
            case ContentCommands.DetachIngest command:
                Change(Decided.Decide(command), command);
                break;
            case ContentCommands.Update command:
                Change(Decided.Decide(command, now), command);
                break;
            case ContentCommands.AddSource command:
                Change(Decided.Decide(command, now), command);
                break;
            case ContentCommands.Remove command:
                Change(Decided.Decide(command), command, isDeletion: true);
                break;
            case SnapshotCommands.Prepare command:
                Change(Decided.Decide(command, now), command);
                break;
            case SnapshotCommands.Adopt command:
                Change(Decided.Decide(command, now), command);
                break;
            case SnapshotCommands.Commit command:
                Change(Decided.Decide(command, now), command);
                break;
            case SnapshotCommands.Update command:
                Change(Decided.Decide(command, now), command);
                break;
            case SnapshotCommands.Remove command:
                Change(Decided.Decide(command), command, isDeletion: true);
                break;
            case ActivationCommands.Add command:
                Change(Decided.Decide(command), command);
                break;
            case ActivationCommands.Remove command:
                Change(Decided.Decide(command), command, isDeletion: true);
                break;
            default:
                OnForeign(message);
                break;
        }
    }

    // Told when decided, not when stored: a collection that follows is decided after it, and one too many does no harm.
    private void Change<T>(Decision<T> decision, INamespaceCommand command, bool isDeletion = false)
    {
        Settle(decision, command.Caller);
        if (!decision.Events.IsEmpty)
        {
            Changed(isDeletion);
        }
    }

    private void Changed(bool isDeletion) => Context.System.EventStream.Publish(new NamespaceChanged(_name, Time.GetUtcNow(), isDeletion));

    private void OnForeign(object message)
    {
        NamespaceChild? taker = _children.FirstOrDefault(child => child.Takes(message));
        if (taker is not null && Context.Child(taker.Name) is { } child && !child.IsNobody())
        {
            child.Forward(message);
        }
        else if (message is IRequest request)
        {
            Sender.Tell(request.Refusal(taker is null
                ? Error.NotImplemented($"{message.GetType().Name}: nobody in namespace \"{_name}\" takes it")
                : Error.Unavailable($"namespace \"{_name}\": {taker.Name} are being started")));
        }
        else
        {
            Unhandled(message);
        }
    }

    private static void Start(NamespaceChild child)
    {
        if (Context.Child(child.Name).IsNobody())
        {
            Context.Watch(Context.ActorOf(child.Props, child.Name));
        }
    }

    private sealed record StartChild(string Name);
}
