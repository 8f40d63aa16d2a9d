// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Akka.Actor;
using Akka.Event;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Sandboxes;
using Containerd.Actors.Supervision.Namespaces.Containers;
using Containerd.Actors.Supervision.Namespaces.Sandboxes.Sandboxers;
using Error = Containerd.Actors.Protocol.Errors.Error;

namespace Containerd.Actors.Supervision.Namespaces.Sandboxes;

/// <summary>Owns all sandboxes of one namespace: finds them in the journal, routes to them, knows their records.</summary>
/// <remarks>
/// <code>
/// recovering --every child told--> serving
/// </code>
/// Lists are answered from the records that children tell before they answer anyone. A child that stops is started anew after a pause;
/// what came for it meanwhile is kept.
/// </remarks>
public sealed class SandboxesSupervisor : UntypedActor, IWithTimers
{
    private readonly string _ns;
    private readonly SandboxDependencies _on;
    private readonly Func<string, IReadOnlyList<string>> _liveEntities;
    private readonly Dictionary<string, Child> _children = new(StringComparer.Ordinal);
    private readonly HashSet<string> _recovering = new(StringComparer.Ordinal);

    // Lists that came before all records were known.
    private readonly List<IActorRef> _early = [];
    private ImmutableSortedDictionary<string, SandboxRecord> _records = ImmutableSortedDictionary.Create<string, SandboxRecord>(StringComparer.Ordinal);
    private bool _isComplete;

    /// <summary>Makes the supervisor.</summary>
    public SandboxesSupervisor(
        string ns,
        ImmutableArray<ISandboxer> sandboxers,
        Func<string, IReadOnlyList<string>> liveEntities,
        SandboxesSettings settings,
        TimeProvider time)
    {
        (_ns, _liveEntities) = (ns, liveEntities);
        _on = new SandboxDependencies(
            sandboxers.ToImmutableDictionary(sandboxer => sandboxer.Name), settings, time, Context.Parent, Self, Context.GetLogger());
    }

    /// <inheritdoc />
    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>How to make the actor <c>sandboxes</c> of a namespace, whose actor is its parent and is told what sandboxes keep.</summary>
    /// <param name="ns">The namespace.</param>
    /// <param name="sandboxers">The ways to run sandboxes.</param>
    /// <param name="liveEntities">Persistence ids of living entities by prefix.</param>
    /// <param name="settings">Deadlines and bounds.</param>
    /// <param name="time">The clock.</param>
    public static Props PropsOf(
        string ns,
        ImmutableArray<ISandboxer> sandboxers,
        Func<string, IReadOnlyList<string>> liveEntities,
        SandboxesSettings settings,
        TimeProvider time) => Props.Create(() => new SandboxesSupervisor(ns, sandboxers, liveEntities, settings, time));

    /// <inheritdoc />
    protected override void PreStart()
    {
        Context.System.EventStream.Subscribe(Self, typeof(DeadLetter));
        string prefix = EntityIds.Sandbox(_ns, "");
        foreach (string entity in _liveEntities(prefix))
        {
            string id = entity[prefix.Length..];
            _recovering.Add(id);
            Start(id);
        }

        TellComplete();
    }

    /// <inheritdoc />
    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case SandboxSignals.RecordChanged changed: Note(changed); break;
            case SandboxSignals.Recovered recovered: _recovering.Remove(recovered.SandboxId); TellComplete(); break;
            case SandboxSignals.Idle idle: Dismiss(idle.SandboxId); break;
            case SandboxSignals.Stays stays: Retain(stays.SandboxId); break;
            case Terminated terminated: OnTerminated(terminated.ActorRef.Path.Name); break;
            case StartAgain again: Start(again.SandboxId); break;
            case DeadLetter dead: Refuse(dead); break;
            case SandboxQueries.List when _isComplete: Sender.Tell(Reply.Done<ImmutableArray<SandboxRecord>>([.. _records.Values])); break;
            case SandboxQueries.List when _early.Count < _on.Settings.WaitingMax: _early.Add(Sender); break;
            case SandboxQueries.List: Sender.Refuse(message, TooMany); break;
            case IForSandbox request: Route(request); break;
            default: Unhandled(message); break;
        }
    }

    private void Note(SandboxSignals.RecordChanged changed) => _records = changed.Record is { } record
        ? _records.SetItem(changed.SandboxId, record)
        : _records.Remove(changed.SandboxId);

    private void TellComplete()
    {
        if (_recovering.Count > 0 || _isComplete)
        {
            return;
        }

        _isComplete = true;
        _on.Owner.Tell(new ContainerRoots.Complete(_ns, "sandboxes"));
        _early.ForEach(sender => sender.Tell(Reply.Done<ImmutableArray<SandboxRecord>>([.. _records.Values])));
        _early.Clear();
    }

    private void Route(IForSandbox request)
    {
        if (request is IForSandboxer { Sandboxer: var name } && !_on.Sandboxers.ContainsKey(name))
        {
            Sender.Refuse(request, name.Length == 0
                ? Error.Invalid("invalid argument: sandbox controller name can not be empty")
                : Error.NotFound($"not found: failed to get sandbox controller by {name}"));
            return;
        }

        if (!_children.TryGetValue(request.SandboxId, out Child? child))
        {
            if (request is not (SandboxCommands.Create or SandboxControl.Create))
            {
                SandboxActor.AnswerAbsent(request, _ns, _on.Time, Sender);
                return;
            }

            // Only an identifier can name an actor; anything else is refused by the rules before one is made.
            if (Identifiers.Validate(request.SandboxId) is { } invalid)
            {
                Error error = invalid.While("invalid sandbox ID");
                Sender.Refuse(request, request is SandboxCommands.Create ? error.While("failed to validate sandbox") : error);
                return;
            }

            child = Start(request.SandboxId);
        }

        if (child is { Actor: { } actor, IsLeaving: false })
        {
            actor.Forward(request);
        }
        else if (child.Kept.Count < _on.Settings.WaitingMax)
        {
            child.Kept.Enqueue((request, Sender));
        }
        else
        {
            Sender.Refuse(request, TooMany);
        }
    }

    private Child Start(string id)
    {
        if (!_children.TryGetValue(id, out Child? child))
        {
            _children.Add(id, child = new Child());
        }

        child.Actor = Context.Watch(Context.ActorOf(SandboxActor.PropsOf(_on, _ns, id), id));
        Release(child);
        return child;
    }

    private void Dismiss(string id)
    {
        if (_children.TryGetValue(id, out Child? child) && child is { Actor: { } actor, IsLeaving: false })
        {
            child.IsLeaving = true;
            actor.Tell(new SandboxSignals.Leave());
        }
    }

    private void Retain(string id)
    {
        Child child = _children[id];
        child.IsLeaving = false;
        Release(child);
    }

    private static void Release(Child child)
    {
        while (child.Kept.TryDequeue(out (object Message, IActorRef Sender) kept))
        {
            child.Actor!.Tell(kept.Message, kept.Sender);
        }
    }

    private void OnTerminated(string id)
    {
        Child child = _children[id];
        if (child.IsLeaving)
        {
            _children.Remove(id);
            foreach ((object message, IActorRef sender) in child.Kept)
            {
                Self.Tell(message, sender);
            }

            return;
        }

        child.Actor = null;
        Timers.StartSingleTimer(id, new StartAgain(id), _on.Settings.RestartPause);
    }

    // What was on its way to an actor that stopped is refused; its client would wait for ever.
    private void Refuse(DeadLetter dead)
    {
        if (dead.Recipient.Path.ToStringWithoutAddress().StartsWith(Self.Path.ToStringWithoutAddress() + "/", StringComparison.Ordinal))
        {
            dead.Sender.Refuse(dead.Message, Error.Unavailable($"{dead.Recipient.Path.ToStringWithoutAddress()} stopped; ask again"));
        }
    }

    private static Error TooMany { get; } = new(
        ErrorKind.ResourceExhausted, $"too many requests wait for a sandbox ({SandboxesSettings.Root}.waiting-max)");

    /// <inheritdoc />
    /// <remarks>See the row sandbox of the failure table.</remarks>
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(_ => Directive.Stop);

    private sealed class Child
    {
        public IActorRef? Actor { get; set; }

        public bool IsLeaving { get; set; }

        public Queue<(object Message, IActorRef Sender)> Kept { get; } = new();
    }

    private sealed record StartAgain(string SandboxId);
}

/// <summary>What sandboxes need.</summary>
/// <param name="Sandboxers">The ways to run sandboxes, by name.</param>
/// <param name="Settings">Deadlines and bounds.</param>
/// <param name="Time">The clock.</param>
/// <param name="Owner">The namespace, which notes what sandboxes keep.</param>
/// <param name="Directory">Hears of every record, before clients do.</param>
/// <param name="Log">The log.</param>
internal sealed record SandboxDependencies(
    ImmutableDictionary<string, ISandboxer> Sandboxers,
    SandboxesSettings Settings,
    TimeProvider Time,
    IActorRef Owner,
    IActorRef Directory,
    ILoggingAdapter Log);
