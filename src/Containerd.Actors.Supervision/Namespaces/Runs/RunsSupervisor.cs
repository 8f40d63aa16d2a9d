// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Akka.Actor;
using Akka.Event;
using Containerd.Actors.Core.Content;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Core.Runs;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Containers;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Runs;
using Containerd.Actors.Supervision.Namespaces.Pulls;
using Containerd.Actors.Supervision.Namespaces.Transfers;
using Error = Containerd.Actors.Protocol.Errors.Error;
using ErrorKind = Containerd.Actors.Protocol.Errors.ErrorKind;

namespace Containerd.Actors.Supervision.Namespaces.Runs;

/// <summary>The runs of one namespace: one child for each container that somebody waits for or that is to be removed.</summary>
/// <remarks>Containers that an earlier daemon was to remove are found by their label and get a child as well.</remarks>
public sealed class RunsSupervisor : UntypedActor, IWithTimers
{
    private readonly string _namespace;
    private readonly IActorRef _tree;
    private readonly IContentReader _reader;
    private readonly RunSettings _settings;
    private readonly PullSettings _documents;
    private readonly TimeProvider _time;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly Dictionary<string, IActorRef> _runs = new(StringComparer.Ordinal);
    private long _generation;

    /// <summary>Makes the supervisor.</summary>
    /// <param name="ns">The namespace.</param>
    /// <param name="tree">The root of the tree.</param>
    /// <param name="reader">Reads the documents of images.</param>
    /// <param name="settings">Bounds of runs.</param>
    /// <param name="documents">Bounds of documents.</param>
    /// <param name="time">The clock.</param>
    public RunsSupervisor(string ns, IActorRef tree, IContentReader reader, RunSettings settings, PullSettings documents, TimeProvider time) =>
        (_namespace, _tree, _reader, _settings, _documents, _time) = (ns, tree, reader, settings, documents, time);

    private sealed record Find;

    private sealed record Found(ImmutableArray<ContainerRecord> Containers);

    private sealed record NotFound(string Reason);

    /// <inheritdoc />
    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>The actor <c>/user/containerd/namespaces/NS/runs</c>.</summary>
    public static Props Props(
        string ns, IActorRef tree, IContentReader reader, RunSettings settings, PullSettings documents, TimeProvider time) =>
        Akka.Actor.Props.Create(() => new RunsSupervisor(ns, tree, reader, settings, documents, time));

    /// <inheritdoc />
    protected override void PreStart() => Look();

    /// <inheritdoc />
    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case RunCommands.Run run: Begin(run); break;
            case RunActor.Over over: _runs.Remove(over.Id); break;
            case Terminated ended: Forget(ended.ActorRef); break;
            case Find: Look(); break;
            case Found found: Recover(found.Containers); break;
            case NotFound failed:
                _log.Warning("containers of namespace {0} that are to be removed are not known yet: {1}", _namespace, failed.Reason);
                Timers.StartSingleTimer(nameof(Find), new Find(), _settings.RetryInterval);
                break;
            default: Unhandled(message); break;
        }
    }

    // What a run was to remove is found again by its label, as after a start of the daemon.
    /// <inheritdoc />
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(_ => Directive.Stop);

    private void Begin(RunCommands.Run run)
    {
        string id = run.Wish.Id;
        if (Identifiers.Validate(id) is { } badId)
        {
            Sender.Tell(Reply.Refused<Nothing>(badId.While("create container failed validation: container.ID")));
        }
        else if (_runs.ContainsKey(id))
        {
            Sender.Tell(Reply.Refused<Nothing>(Error.AlreadyExists($"container \"{id}\"")));
        }
        else if (_runs.Count >= _settings.ChildrenMax)
        {
            Sender.Tell(Reply.Refused<Nothing>(new Error(
                ErrorKind.ResourceExhausted, $"namespace \"{_namespace}\": {_runs.Count} runs are under way ({RunSettings.Path}.children-max)")));
        }
        else
        {
            Start(id, null).Forward(run);
        }
    }

    private IActorRef Start(string id, ContainerRecord? left)
    {
        // A run that is over may still be stopping; its name is free only after that.
        string name = Context.Child(id).IsNobody() ? id : $"{id}:{++_generation}";
        return _runs[id] = Context.Watch(Context.ActorOf(RunActor.Props(id, run => Work(id, run), _settings, left), name));
    }

    private RunWork Work(string id, RunCommands.Run? run)
    {
        Caller by = run?.By ?? Caller.Policy("run --rm");
        TreeAsk tree = Asking($"run of {id}");
        ContentAccess content = new(tree, _reader, _namespace, by, _documents, _time);
        return new RunWork(_namespace, by, tree, content, new ImageWalk(content, _documents.DocumentBytesMax), new StageClock(_time, id, by.Trace), _log);
    }

    private TreeAsk Asking(string subject) => new(_tree, subject, _settings.StepTimeout, $"{RunSettings.Path}.step-timeout");

    private void Forget(IActorRef ended)
    {
        if (_runs.FirstOrDefault(run => run.Value.Equals(ended)).Key is { } failed)
        {
            _runs.Remove(failed);
            Timers.StartSingleTimer(nameof(Find), new Find(), _settings.RetryInterval);
        }
    }

    private void Look() => FindAsync().PipeTo(Self, success: found => new Found(found), failure: cause => new NotFound(cause.Message));

    private async Task<ImmutableArray<ContainerRecord>> FindAsync()
    {
        ContainerQueries.List list = new(_namespace, Caller.Actor(Self.Path.ToStringWithoutAddress()));
        ImmutableArray<ContainerRecord> containers = await Asking($"runs of {_namespace}").FinishAsync(list).ConfigureAwait(false);
        return [.. containers.Where(container => RunLabels.Removes(container.Labels))];
    }

    private void Recover(ImmutableArray<ContainerRecord> containers)
    {
        foreach (ContainerRecord container in containers.Where(container => !_runs.ContainsKey(container.Id)))
        {
            Start(container.Id, container);
        }
    }
}
