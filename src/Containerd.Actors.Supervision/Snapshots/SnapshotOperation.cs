// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Akka.Actor;
using Containerd.Actors.Core.Executor;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Storage.Effects;
using Containerd.Actors.Storage.Snapshots;

namespace Containerd.Actors.Supervision.Snapshots;

/// <summary>One request to a snapshotter: looks at the records, works on the directories, has the records changed, answers, ends.</summary>
/// <remarks>
/// <code>
/// records --Prepare--> make directory --> store record --> mounts
///         --Commit---> measure -------> store record --> done
///         --Usage----> measure -------> done
///         --Mounts---> make parents ready, where that is needed -> mounts
/// </code>
/// When the record is refused the directory is removed again.
/// </remarks>
internal sealed class SnapshotOperation : UntypedActor
{
    private const string VisibleLabels = "containerd.io/snapshot";

    private readonly IForSnapshotter _operation;
    private readonly long _number;
    private readonly IActorRef _replyTo;
    private readonly ISnapshotBackend _backend;
    private readonly IActorRef _executor;
    private readonly IActorRef _namespaces;
    private ImmutableArray<long> _parents = [];

    // Kept while parents are made ready for what is mounted on them.
    private NamespaceState? _state;
    private bool _isMounted;

    public SnapshotOperation(
        IForSnapshotter operation, long number, IActorRef replyTo, ISnapshotBackend backend, IActorRef executor, IActorRef namespaces)
    {
        (_operation, _number, _replyTo, _backend, _executor, _namespaces) = (operation, number, replyTo, backend, executor, namespaces);
        namespaces.Tell(new NamespaceQueries.GetState(operation.Namespace));
    }

    public static Props Props(
        IForSnapshotter operation, long number, IActorRef replyTo, ISnapshotBackend backend, IActorRef executor, IActorRef namespaces) =>
        Akka.Actor.Props.Create(() => new SnapshotOperation(operation, number, replyTo, backend, executor, namespaces));

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case Done<NamespaceState> state: Begin(state.Result); break;
            case Refused<NamespaceState> refused: Refuse(refused.Error); break;
            case Outcome.Done done: Worked(done.Value); break;
            case Outcome { Refusal: { } error }: Refuse(error); break;
            case Reply<SnapshotRecord> stored: Recorded(stored); break;
            default: Unhandled(message); break;
        }
    }

    private void Begin(NamespaceState state)
    {
        switch (_operation)
        {
            case SnapshotterCommands.Prepare { IsDetached: true } when _backend.DetachedMounts(_number).IsEmpty:
                Refuse(Error.NotImplemented($"snapshotter {_backend.Name} makes no snapshots whose parents come later"));
                break;
            case SnapshotterCommands.Prepare prepare:
                _parents = Chain(state, prepare.Parent);
                _executor.Tell(new Execute(new SnapshotEffects.Create(
                    _backend.Name, _number, prepare.Kind, _parents, Visible(prepare.Labels), _backend.Copies)));
                break;
            case SnapshotterCommands.GetMounts mounts when Find(state, mounts.Key) is { } record:
                AnswerMounts(state, record);
                break;
            case SnapshotterCommands.Commit commit when Find(state, commit.Key) is { } record:
                Commit(commit, record, Chain(state, commit.Parent), ParentOf(state, record));
                break;
            case SnapshotterCommands.GetUsage usage when Find(state, usage.Key) is { } record:
                Measure(record, ParentOf(state, record));
                break;
            case SnapshotterCommands.GetMounts { Key: var key }:
                Refuse(Missing(key));
                break;
            case SnapshotterCommands.Commit { Key: var key }:
                Refuse(Missing(key));
                break;
            case SnapshotterCommands.GetUsage { Key: var key }:
                Refuse(Missing(key));
                break;
        }
    }

    private void AnswerMounts(NamespaceState state, SnapshotRecord record)
    {
        if (record.Kind == SnapshotKind.Committed)
        {
            Refuse(Error.FailedPrecondition($"snapshot {record.Key} is committed: only active snapshots and views are mounted"));
            return;
        }

        ImmutableArray<long> parents = Chain(state, record.Parent);
        if (_backend.MountsLayers && !parents.IsEmpty && !_isMounted)
        {
            (_state, _isMounted) = (state, true);
            _executor.Tell(new Execute(new SnapshotEffects.MountLayers(_backend.Name, parents)));
            return;
        }

        Answer(_backend.Mounts(record.Backend, record.Kind, parents, Visible(record.Labels)));
    }

    private void Commit(SnapshotterCommands.Commit commit, SnapshotRecord record, ImmutableArray<long> parents, long? parent)
    {
        if (commit.Parent.Length > 0 && record.Parent.Length == 0 && !_backend.Rebases)
        {
            Refuse(Error.NotImplemented($"snapshotter {_backend.Name} cannot give snapshot \"{commit.Key}\" a parent when it is committed"));
        }
        else if (record.Kind == SnapshotKind.Active)
        {
            _executor.Tell(new Execute(new SnapshotEffects.Commit(_backend.Name, record.Backend, Synchronize: false)
            {
                Parents = commit.Inherited.IsEmpty ? [] : parents,
                Inherited = commit.Inherited,
                Parent = parent,
            }));
        }
        else
        {
            Refuse(Error.FailedPrecondition($"snapshot \"{commit.Namespace}/{record.Backend}/{commit.Key}\" is not active"));
        }
    }

    private void Measure(SnapshotRecord record, long? parent)
    {
        if (record.Usage is { } known)
        {
            Answer(known);
        }
        else
        {
            _executor.Tell(new Execute(new SnapshotEffects.Measure(_backend.Name, record.Backend) { Parent = parent }));
        }
    }

    private void Worked(object? value)
    {
        switch (_operation)
        {
            case SnapshotterCommands.Prepare p:
                _namespaces.Tell(new SnapshotCommands.Prepare(p.Namespace, _backend.Name, p.Kind, p.Key, p.Parent, p.Labels, _number, p.By));
                break;
            case SnapshotterCommands.Commit c:
                _namespaces.Tell(new SnapshotCommands.Commit(
                    c.Namespace, _backend.Name, c.Name, c.Key, c.Labels, c.Parent, (SnapshotUsage)value!, c.By));
                break;
            case SnapshotterCommands.GetUsage:
                Answer((SnapshotUsage)value!);
                break;
            case SnapshotterCommands.GetMounts:
                Begin(_state!);
                break;
        }
    }

    private void Recorded(Reply<SnapshotRecord> reply)
    {
        switch (_operation, reply)
        {
            case (SnapshotterCommands.Prepare prepare, Done<SnapshotRecord>):
                Answer(prepare.IsDetached
                    ? _backend.DetachedMounts(_number)
                    : _backend.Mounts(_number, prepare.Kind, _parents, Visible(prepare.Labels)));
                break;
            case (SnapshotterCommands.Prepare, Refused<SnapshotRecord> refused):
                _executor.Tell(new Execute(new SnapshotEffects.Remove(_backend.Name, [_number])), ActorRefs.NoSender);
                Refuse(refused.Error);
                break;
            case (SnapshotterCommands.Commit, Done<SnapshotRecord> committed) when _backend.Trims:
                _executor.Tell(new Execute(new SnapshotEffects.Trim(_backend.Name, committed.Result.Backend)), ActorRefs.NoSender);
                Answer(Nothing.Value);
                break;
            case (_, Refused<SnapshotRecord> refused):
                Refuse(refused.Error);
                break;
            default:
                Answer(Nothing.Value);
                break;
        }
    }

    private void Answer<T>(T value)
    {
        _replyTo.Tell(Reply.Done(value));
        Context.Stop(Self);
    }

    private void Refuse(Error error)
    {
        _replyTo.Tell(_operation.Refusal(error));
        Context.Stop(Self);
    }

    private static Error Missing(string key) => Error.NotFound($"snapshot {key} does not exist");

    private SnapshotRecord? Find(NamespaceState state, string key) => state.Snapshots.GetValueOrDefault(new SnapshotName(_backend.Name, key));

    private long? ParentOf(NamespaceState state, SnapshotRecord record) => record.Parent.Length > 0 ? Find(state, record.Parent)?.Backend : null;

    // Numbers of the parents, nearest first. A parent that is missing is told by the namespace, which has the last word.
    private ImmutableArray<long> Chain(NamespaceState state, string parent)
    {
        ImmutableArray<long>.Builder chain = ImmutableArray.CreateBuilder<long>();
        for (string name = parent; name.Length > 0 && Find(state, name) is { } record; name = record.Parent)
        {
            chain.Add(record.Backend);
        }

        return chain.ToImmutable();
    }

    // What a snapshotter sees of the labels, as in containerd.
    private static ImmutableSortedDictionary<string, string> Visible(ImmutableSortedDictionary<string, string> labels) =>
        labels.RemoveRange(labels.Keys.Where(name => !name.StartsWith(VisibleLabels, StringComparison.Ordinal)));
}
