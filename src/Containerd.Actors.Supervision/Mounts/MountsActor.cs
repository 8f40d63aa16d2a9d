// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Akka.Actor;
using Akka.Event;
using Containerd.Actors.Core.Executor;
using Containerd.Actors.Core.GarbageCollection;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Oci.Runtime;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Storage.Effects;
using Containerd.Actors.Storage.Mounts;
using Containerd.Actors.Supervision.Executor;
using Error = Containerd.Actors.Protocol.Errors.Error;

namespace Containerd.Actors.Supervision.Mounts;

/// <summary>Holds what the daemon mounts for others, and the numbers of their directories. The records are the namespaces'.</summary>
/// <remarks>
/// <code>
/// looking --what is mounted, what is recorded--> comparing --records of what is gone are removed--> holding
/// </code>
/// A mount is made before its record is stored and undone after its record is gone, so a crash between the two leaves a mount without
/// record, which the next sweep undoes. Records without mounts are what a reboot leaves: nothing is mounted again for somebody who may
/// be gone too; whoever still wants it asks again. Until that is settled, requests wait.
/// </remarks>
public sealed class MountsActor : UntypedActor, IWithTimers
{
    private const int WaitingMax = 10_000;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly IActorRef _executor;
    private readonly IActorRef _namespaces;
    private readonly TimeProvider _time;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly List<(object Message, IActorRef Sender)> _waiting = [];

    // Operations that may have mounted what no record tells of.
    private readonly Dictionary<IActorRef, long> _unsettled = [];
    private IReadOnlyList<FoundActivation> _found = [];
    private int _removing;
    private long _lastNumber;

    // What the mark that is under way cannot know: numbers above the bound, and those that were unsettled when it began.
    private long _generation;
    private long _bound;
    private ImmutableHashSet<long> _unknown = [];

    public MountsActor(IActorRef executor, IActorRef namespaces, TimeProvider time)
    {
        (_executor, _namespaces, _time) = (executor, namespaces, time);
        Look();
    }

    /// <inheritdoc />
    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>The actor <c>/user/containerd/mounts</c>.</summary>
    public static Props Props(IActorRef executor, IActorRef namespaces, TimeProvider time) =>
        Akka.Actor.Props.Create(() => new MountsActor(executor, namespaces, time));

    /// <inheritdoc />
    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case MountCommands.Activate activate: Activate(activate); break;
            case MountCommands.Deactivate deactivate:
                Context.ActorOf(DeactivateOperation.Props(deactivate, Sender, _executor, _namespaces));
                break;
            case MountCommands.FindUser find: Find(find); break;
            case IForMounts query: Context.ActorOf(LookUpOperation.Props(query, Sender, _namespaces)); break;
            case SweepCommands.BeginMounts: Begin(); break;
            case SweepCommands.SweepMounts sweep: Sweep(sweep); break;
            case Terminated ended: _unsettled.Remove(ended.ActorRef); break;
            default: Unhandled(message); break;
        }
    }

    private void Activate(MountCommands.Activate activate)
    {
        if (MountPlan.Of(activate.Mounts, activate.IsTemporary) is not { } plan)
        {
            Sender.Tell(Reply.Refused<Activation>(Error.NotImplemented("not implemented")));
            return;
        }

        long number = ++_lastNumber;
        IActorRef operation = Context.ActorOf(ActivateOperation.Props(activate, plan, number, Sender, _executor, _namespaces, _time));
        _unsettled[operation] = number;
        Context.Watch(operation);
    }

    private void Find(MountCommands.FindUser find)
    {
        IActorRef replyTo = Sender;
        Context.ActorOf(OneEffect.Props(_executor, new MountEffects.FindUser(find.Mounts, find.User), outcome => replyTo.Tell(
            outcome is Outcome.Done { Value: UserSpec user } ? Reply.Done(user) : Reply.Refused<UserSpec>(outcome.Refusal!))));
    }

    private void Begin()
    {
        _generation++;
        _bound = _lastNumber;
        _unknown = [.. _unsettled.Values];
        Sender.Tell(Reply.Done(_generation));
    }

    private void Sweep(SweepCommands.SweepMounts sweep)
    {
        if (sweep.Generation == _generation)
        {
            Context.ActorOf(SweepOperation.Props(sweep.Keep.Union(_unknown), _bound, sweep.IsDry, Sender, _executor));
        }
        else
        {
            Sender.Tell(Reply.Done(new Swept(0, 0)));
        }
    }

    // What the kernel has, then what the namespaces know.
    private void Look()
    {
        Become(Comparing);
        _executor.Tell(new Execute(new MountEffects.List()));
    }

    private void Comparing(object message)
    {
        switch (message)
        {
            case Outcome.Done { Value: IReadOnlyList<FoundActivation> found }:
                _found = found;
                _namespaces.Tell(new NamespaceQueries.List());
                break;
            case Done<ImmutableArray<NamespaceState>> states: Compare(states.Result); break;
            case Outcome { Refusal: { } error }: Again(error); break;
            case Refused<ImmutableArray<NamespaceState>> refused: Again(refused.Error); break;
            case Reply<Activation>: Removed(); break;
            case LookAgain: Look(); break;
            default: Wait(message); break;
        }
    }

    private void Compare(ImmutableArray<NamespaceState> states)
    {
        Dictionary<long, FoundActivation> found = _found.ToDictionary(each => each.Number);
        foreach (NamespaceState state in states)
        {
            foreach (Activation activation in state.Activations.Values)
            {
                _lastNumber = Math.Max(_lastNumber, activation.Number);
                string? gone = activation.Active.Select(active => active.MountPoint).FirstOrDefault(
                    point => !found.TryGetValue(activation.Number, out FoundActivation? there) || !there.Live.Contains(point));
                if (gone is not null)
                {
                    _removing++;
                    _namespaces.Tell(new ActivationCommands.Remove(
                        state.Name, activation.Name, $"nothing is mounted on {gone} any more", Caller.Actor(Self.Path.ToStringWithoutAddress())));
                }
            }
        }

        _lastNumber = Math.Max(_lastNumber, _found.Count == 0 ? 0 : _found[^1].Number);
        _removing++;
        Removed();
    }

    private void Removed()
    {
        if (--_removing == 0)
        {
            Become(OnReceive);
            _waiting.ForEach(waiting => Self.Tell(waiting.Message, waiting.Sender));
            _waiting.Clear();
        }
    }

    private void Again(Error error)
    {
        _log.Warning("mounts could not be compared with their records: {0}; they are looked at again in {1}", error.Text, Pause);
        Timers.StartSingleTimer(nameof(LookAgain), new LookAgain(), Pause);
    }

    private void Wait(object message)
    {
        if (_waiting.Count < WaitingMax)
        {
            _waiting.Add((message, Sender));
        }
        else if (message is IRequest request)
        {
            Sender.Tell(request.Refusal(Error.Unavailable("mounts are being compared with their records")));
        }
    }

    private sealed record LookAgain;
}
