// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Akka.Actor;
using Akka.Event;
using Containerd.Actors.Core.Containers;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Core.Tasks;
using Containerd.Actors.Protocol.Containers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Tasks;
using Containerd.Actors.Supervision.Namespaces.Containers.Tasks;
using Containerd.Actors.Supervision.Namespaces.Containers.Tasks.Shims;
using Error = Containerd.Actors.Protocol.Errors.Error;

namespace Containerd.Actors.Supervision.Namespaces.Containers;

/// <summary>Owns all containers of one namespace: finds them in the journal, routes to them, knows what each is.</summary>
/// <remarks>
/// <code>
/// finding --live entities--> recovering --every child told--> serving
/// </code>
/// Lists are answered from a directory that every child keeps up to date before it answers anyone, so that no list waits for a child. A
/// child that stops is started anew after a pause; what came for it meanwhile is kept.
/// </remarks>
public sealed class ContainersSupervisor : UntypedActor, IWithTimers
{
    private readonly string _ns;
    private readonly IActorRef _owner;
    private readonly ILiveEntities _entities;
    private readonly TaskDependencies _on;

    private readonly Dictionary<string, Child> _children = new(StringComparer.Ordinal);
    private readonly HashSet<string> _recovering = new(StringComparer.Ordinal);

    // Requests that came before all children were known.
    private readonly Queue<(object Message, IActorRef Sender)> _early = new();
    private ContainerDirectory _directory = ContainerDirectory.Empty;
    private bool _isFinding = true;
    private bool _isServing;

    /// <summary>Makes the supervisor.</summary>
    public ContainersSupervisor(string ns, ILiveEntities entities, IShims shims, ContainersSettings settings, TimeProvider time)
    {
        (_ns, _owner, _entities) = (ns, Context.Parent, entities);
        _on = new TaskDependencies(shims, settings, time, Self);
    }

    /// <inheritdoc />
    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>How to make the actor <c>containers</c> of a namespace, whose actor is its parent and is told what containers keep.</summary>
    /// <param name="ns">The namespace.</param>
    /// <param name="entities">What the journal holds.</param>
    /// <param name="shims">Shims and bundles.</param>
    /// <param name="settings">Deadlines and bounds.</param>
    /// <param name="time">The clock.</param>
    public static Props PropsOf(
        string ns, ILiveEntities entities, IShims shims, ContainersSettings settings, TimeProvider time) =>
        Props.Create(() => new ContainersSupervisor(ns, entities, shims, settings, time));

    /// <inheritdoc />
    protected override void PreStart()
    {
        Context.System.EventStream.Subscribe(Self, typeof(DeadLetter));
        Find();
    }

    /// <inheritdoc />
    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case Found found: Recover(found); break;
            case FindFailed: Timers.StartSingleTimer(nameof(Find), new FindAgain(), _on.Settings.RestartBackoffMin); break;
            case FindAgain: Find(); break;
            case ContainerSignals.RecordChanged changed: _directory = _directory.With(changed.ContainerId, changed.Record); break;
            case ContainerSignals.TaskChanged changed: _directory = _directory.With(changed); break;
            case ContainerSignals.Recovered recovered: _recovering.Remove(recovered.ContainerId); Serve(); break;
            case ContainerSignals.Idle idle: Dismiss(idle.ContainerId); break;
            case ContainerSignals.Stays stays: Retain(stays.ContainerId); break;
            case Terminated terminated: Terminated(terminated.ActorRef.Path.Name); break;
            case StartAgain again: Start(again.ContainerId, true); break;
            case DeadLetter dead: Refuse(dead); break;
            case IForContainer or ContainerQueries.List or TaskQueries.List when _isFinding: KeepEarly(message); break;
            case ContainerQueries.List or TaskQueries.List when !_isServing: KeepEarly(message); break;
            case ContainerQueries.List: Sender.Tell(Reply.Done(_directory.ListContainers())); break;
            case TaskQueries.List: Sender.Tell(Reply.Done(_directory.ListTasks())); break;
            case IForContainer request: Route(request); break;
            default: Unhandled(message); break;
        }
    }

    private void Find() => FindAsync().PipeTo(Self, failure: e => new FindFailed(e));

    private async Task<Found> FindAsync()
    {
        Task<ImmutableArray<string>> containers = _entities.ListAsync(EntityIds.Container(_ns, ""), CancellationToken.None);
        Task<ImmutableArray<string>> tasks = _entities.ListAsync(EntityIds.Task(_ns, ""), CancellationToken.None);
        Found found = new(await containers.ConfigureAwait(false), await tasks.ConfigureAwait(false));

        // Before any request is served, so that no bundle of a task that is just being created is taken for a stray.
        HashSet<string> known = [.. found.Tasks.Select(IdOf)];
        _on.Shims.RemoveStrays(_ns, known.Contains);
        return found;
    }

    private void Recover(Found found)
    {
        _isFinding = false;
        ImmutableHashSet<string> tasks = [.. found.Tasks.Select(IdOf)];
        foreach (string id in tasks.Union(found.Containers.Select(IdOf)))
        {
            _recovering.Add(id);
            Start(id, tasks.Contains(id));
        }

        Serve();
    }

    private void Serve()
    {
        if (_isFinding || _recovering.Count > 0 || _isServing)
        {
            return;
        }

        _isServing = true;
        _owner.Tell(new ContainerRoots.Complete(_ns));
        while (_early.TryDequeue(out (object Message, IActorRef Sender) early))
        {
            Self.Tell(early.Message, early.Sender);
        }
    }

    private void KeepEarly(object message)
    {
        if (_early.Count < _on.Settings.WaitingMax)
        {
            _early.Enqueue((message, Sender));
        }
        else
        {
            Sender.Refuse(message, TooMany);
        }

    }

    private void Route(IForContainer request)
    {
        if (!_children.TryGetValue(request.ContainerId, out Child? child))
        {
            if (request is not ContainerCommands.Create)
            {
                Sender.Refuse(request, request switch
                {
                    ContainerCommands.Delete => Error.NotFound($"container {request.ContainerId}"),
                    ContainerCommands.Update => Error.NotFound($"container \"{request.ContainerId}\""),
                    _ => ContainerState.Missing(_ns, request.ContainerId),
                });
                return;
            }

            // Only an identifier can name an actor; anything else is refused by the rules before one is made.
            if (Identifiers.Validate(request.ContainerId) is { } invalid)
            {
                Sender.Refuse(request, invalid.While("container.ID").While("create container failed validation"));
                return;
            }

            child = Start(request.ContainerId, false);
        }

        if (child.Actor is { } actor && !child.IsLeaving)
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

    private Child Start(string id, bool mayHaveTask)
    {
        if (!_children.TryGetValue(id, out Child? child))
        {
            _children.Add(id, child = new Child(_on.Settings.RestartBackoffMin));
        }

        child.Actor = Context.Watch(Context.ActorOf(ContainerActor.PropsOf(_on, _owner, _ns, id, mayHaveTask), id));
        Release(child);
        return child;
    }

    private void Dismiss(string id)
    {
        if (_children.TryGetValue(id, out Child? child) && child is { Actor: { } actor, IsLeaving: false })
        {
            child.IsLeaving = true;
            actor.Tell(ContainerSignals.Leave.Instance);
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

    private void Terminated(string id)
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
        Timers.StartSingleTimer(id, new StartAgain(id), child.Backoff);
        child.Backoff = child.Backoff * 2 < _on.Settings.RestartBackoffMax ? child.Backoff * 2 : _on.Settings.RestartBackoffMax;
    }

    // What was on its way to an actor that stopped is refused; its client would wait for ever.
    private void Refuse(DeadLetter dead)
    {
        if (dead.Recipient.Path.ToStringWithoutAddress().StartsWith(Self.Path.ToStringWithoutAddress() + "/", StringComparison.Ordinal))
        {
            object request = dead.Message is TaskCreation creation ? creation.Command : dead.Message;
            dead.Sender.Refuse(request, Error.Unavailable($"{dead.Recipient.Path.ToStringWithoutAddress()} stopped; ask again"));
        }
    }

    private static Error TooMany { get; } = new(
        ErrorKind.ResourceExhausted, $"too many requests wait for a container's actor ({ContainersSettings.Root}.waiting-max)");

    private static string IdOf(string entity) => entity[(entity.LastIndexOf('/') + 1)..];

    /// <inheritdoc />
    /// <remarks>See the row container of the failure table.</remarks>
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(_ => Directive.Stop);

    private sealed class Child(TimeSpan backoff)
    {
        public IActorRef? Actor { get; set; }

        public bool IsLeaving { get; set; }

        public TimeSpan Backoff { get; set; } = backoff;

        public Queue<(object Message, IActorRef Sender)> Kept { get; } = new();
    }

    private sealed record Found(ImmutableArray<string> Containers, ImmutableArray<string> Tasks);

    private sealed record FindFailed(Exception Cause);

    private sealed record FindAgain;

    private sealed record StartAgain(string ContainerId);
}
