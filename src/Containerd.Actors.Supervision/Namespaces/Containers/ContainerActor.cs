// SPDX-License-Identifier: Apache-2.0

using Akka.Actor;
using Containerd.Actors.Core.Containers;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.GarbageCollection;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Core.Tasks;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Containers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Sandboxes;
using Containerd.Actors.Protocol.Tasks;
using Containerd.Actors.Supervision.Entities;
using Containerd.Actors.Supervision.Namespaces.Containers.Tasks;

namespace Containerd.Actors.Supervision.Namespaces.Containers;

/// <summary>Owns one container: its record and, below it, its task.</summary>
/// <remarks>
/// <code>
/// (none) --Create--> record --Update--> record --Delete--> (none)
/// </code>
/// <see cref="ContainerState"/> decides. What the container keeps is announced to its namespace before a client hears of it. A task may
/// outlive the record; the actor goes when neither is left.
/// </remarks>
internal sealed class ContainerActor(TaskDependencies on, IActorRef owner, string ns, string id, bool hasTask)
    : EntityActor<ContainerState>(EntityIds.Container(ns, id), ns, new ContainerState(ns, id), on.Time), IWithTimers
{
    private IActorRef? _task;

    // Nothing is known of the task until it has told; a task that may exist keeps the actor alive.
    private bool _isTaskAbsent = !hasTask;
    private bool _isRecovered;

    // Answers that wait for the namespace; going before they are given would lose them.
    private int _announcing;
    private TimeSpan _backoff = on.Settings.RestartBackoffMin;

    /// <inheritdoc />
    public ITimerScheduler Timers { get; set; } = null!;

    internal static Props PropsOf(TaskDependencies on, IActorRef owner, string ns, string id, bool hasTask) =>
        Props.Create(() => new ContainerActor(on, owner, ns, id, hasTask));

    protected override ContainerState Apply(ContainerState state, DomainEvent e) => state.Apply(e);

    protected override void OnCommand(object message)
    {
        switch (message)
        {
            case ContainerCommands.Create create: Keep(Decided.Decide(create, Time.GetUtcNow()), create.By); break;
            case ContainerCommands.Update update: Keep(Decided.Decide(update, Time.GetUtcNow()), update.By); break;
            case ContainerCommands.Delete delete: Forget(delete); break;
            case ContainerQueries.Get: Answer(); break;
            case TaskCommands.Create create: CreateTask(create); break;
            case Unprepared unprepared: Sender.Refuse(unprepared.Command, unprepared.Error); break;
            case TaskCreation when Stored.Record is null: Sender.Tell(Reply.Refused<uint>(ContainerState.Missing(Namespace, id))); break;
            case TaskCreation creation: CreateTask(creation); break;
            case TaskSignals.Forwarded: _task?.Forward(message); break;
            case IForContainer request: ForwardToTask(request); break;
            case Announced announced: OnAnnounced(announced); break;
            case ContainerSignals.TaskChanged changed: FollowTask(changed); break;
            case ContainerSignals.Leave: Go(); break;
            case Reply<Nothing>: break;
            case Terminated terminated when terminated.ActorRef.Equals(_task): AwaitTask(); break;
            case StartTask: EnsureTask(); break;
            default: Unhandled(message); break;
        }
    }

    private void Answer() => Sender.Tell(Stored.Record is { } record
        ? Reply.Done(record)
        : Reply.Refused<ContainerRecord>(ContainerState.Missing(Namespace, id)));

    // The namespace knows what the container keeps before the client may let go of it.
    private void Keep(Decision<ContainerRecord> decision, Caller by)
    {
        IActorRef replyTo = Sender;
        Record(
            decision.Events,
            by,
            () =>
            {
                if (decision.Reply is Done<ContainerRecord> done)
                {
                    Announce(new ContainerRoots.Set(Namespace, RootOf(done.Result), by), replyTo, decision.Reply);
                }
                else
                {
                    replyTo.Tell(decision.Reply);
                    GoIfIdle();
                }
            },
            error => replyTo.Tell(Reply.Refused<ContainerRecord>(error)));
    }

    private void Forget(ContainerCommands.Delete delete)
    {
        Decision<Nothing> decision = Decided.Decide(delete);
        IActorRef replyTo = Sender;
        Record(
            decision.Events,
            delete.By,
            () =>
            {
                if (decision.Events.IsEmpty)
                {
                    replyTo.Tell(decision.Reply);
                    GoIfIdle();
                }
                else
                {
                    Announce(new ContainerRoots.Remove(Namespace, id, delete.By), replyTo, decision.Reply);
                }
            },
            error => replyTo.Tell(Reply.Refused<Nothing>(error)));
    }

    private void Announce<T>(IRequest<Nothing> announcement, IActorRef replyTo, Reply<T> reply)
    {
        IActorRef self = Self;
        _announcing++;
        owner.Ask<Reply<Nothing>>(announcement, on.Settings.RootTimeout).PipeTo(
            self,
            success: answer => new Announced(() => replyTo.Tell(answer is Refused<Nothing> refused
                ? Reply.Refused<T>(refused.Error.While($"container {id} is stored, but not announced"))
                : reply)),
            failure: _ => new Announced(() => replyTo.Tell(Reply.Refused<T>(Error.Unavailable(
                $"container {id} is stored, but its namespace did not note it in time ({ContainersSettings.Root}.root-timeout)")))));
    }

    private void OnAnnounced(Announced announced)
    {
        announced.Then();
        _announcing--;
        GoIfIdle();
    }

    private void CreateTask(TaskCommands.Create create)
    {
        if (Stored.Record is not { } record)
        {
            Sender.Tell(Reply.Refused<uint>(ContainerState.Missing(Namespace, id)));
            return;
        }

        TaskCreation creation = new(create, record, on.Shims.BundleOf(Namespace, id));
        if (record.Sandbox.Length == 0 && create.Checkpoint is null)
        {
            CreateTask(creation);
            return;
        }

        LookUpAsync(creation).PipeTo(
            Self, Sender, failure: e => new Unprepared(create, e is RefusedException refused ? refused.Error : Error.Unavailable(e.Message)));
    }

    // A container may name a sandbox of which the store knows nothing: its task gets a shim of its own, as in containerd.
    private async Task<TaskCreation> LookUpAsync(TaskCreation creation)
    {
        (TaskCommands.Create create, string sandbox) = (creation.Command, creation.Container.Sandbox);
        if (create.Checkpoint is { } image)
        {
            NamespaceState state = (await AskOwnerAsync(new NamespaceQueries.GetState(Namespace)).ConfigureAwait(false)).Value;
            if (!state.Content.ContainsKey(image.Digest))
            {
                throw new RefusedException(Error.NotFound($"content digest {image.Digest}"));
            }
        }

        return sandbox.Length > 0
            && await AskOwnerAsync(new SandboxQueries.Get(Namespace, sandbox, create.By)).ConfigureAwait(false) is Done<SandboxRecord>
            ? creation with { SandboxId = sandbox }
            : creation;
    }

    private Task<Reply<T>> AskOwnerAsync<T>(IRequest<T> request) => owner.Ask<Reply<T>>(request, on.Settings.RootTimeout);

    private void CreateTask(TaskCreation creation)
    {
        _isTaskAbsent = false;
        EnsureTask();
        _task.Forward(creation);
    }

    private void ForwardToTask(IForContainer request)
    {
        if (Stored.Record is null)
        {
            Sender.Refuse(request, ContainerState.Missing(Namespace, id));
        }
        else if (_task is null)
        {
            Sender.Refuse(request, _isTaskAbsent ? TaskState.Missing(id) : Error.Unavailable($"task {id} is being recovered"));
        }
        else
        {
            _task.Forward(request);
        }
    }

    private void EnsureTask() => _task ??= Context.Watch(Context.ActorOf(TaskActor.PropsOf(on, Namespace, id), "task"));

    private void FollowTask(ContainerSignals.TaskChanged changed)
    {
        _isTaskAbsent = changed.IsAbsent;
        _backoff = on.Settings.RestartBackoffMin;
        TellRecovered();
        GoIfIdle();
    }

    private void AwaitTask()
    {
        _task = null;
        Timers.StartSingleTimer(nameof(StartTask), new StartTask(), _backoff);
        _backoff = _backoff * 2 < on.Settings.RestartBackoffMax ? _backoff * 2 : on.Settings.RestartBackoffMax;
    }

    protected override void OnStored(DomainEvent e) => TellRecord();

    private void TellRecord() => on.Directory.Tell(new ContainerSignals.RecordChanged(id, Stored.Record));

    protected override void OnRecovered()
    {
        TellRecord();
        if (Stored.Record is { } record)
        {
            owner.Tell(new ContainerRoots.Set(Namespace, RootOf(record), Caller.Actor(Self.Path.ToStringWithoutAddress())));
        }

        if (hasTask)
        {
            EnsureTask();
        }
        else
        {
            TellRecovered();
        }
    }

    private void TellRecovered()
    {
        if (!_isRecovered)
        {
            _isRecovered = true;
            on.Directory.Tell(new ContainerSignals.Recovered(id));
        }
    }

    private static ContainerRoot RootOf(ContainerRecord record) => new(record.Id, record.Snapshotter, record.SnapshotKey, record.Labels);

    private bool IsIdle => Decided.Record is null && _isTaskAbsent && _announcing == 0;

    private void GoIfIdle()
    {
        if (IsIdle)
        {
            Context.Parent.Tell(new ContainerSignals.Idle(id));
        }
    }

    private void Go()
    {
        if (IsIdle)
        {
            Context.Stop(Self);
        }
        else
        {
            Context.Parent.Tell(new ContainerSignals.Stays(id));
        }
    }

    // See the rows container and task of the failure table: a task's actor that stops is started anew from the journal.
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(_ => Directive.Stop);

    private sealed record Announced(Action Then);

    private sealed record Unprepared(TaskCommands.Create Command, Error Error);

    private sealed record StartTask;
}
