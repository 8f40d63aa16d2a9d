// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Akka.Actor;
using Akka.Event;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Error = Containerd.Actors.Protocol.Errors.Error;

namespace Containerd.Actors.Supervision.Namespaces;

/// <summary>All namespaces of the node, one child each: recovers those that live, makes others on demand, starts stopped ones again.</summary>
/// <remarks>
/// <code>
/// absent --first write--> running --stopped--> waiting --backoff--> running
/// </code>
/// While a namespace waits, requests for it are refused as unavailable. Others are not touched.
/// </remarks>
public sealed class NamespacesSupervisor : UntypedActor, IWithTimers
{
    private readonly Func<string, IReadOnlyList<string>> _liveEntities;
    private readonly Func<string, Props> _namespace;
    private readonly NamespaceSettings _settings;
    private readonly TimeProvider _time;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly Dictionary<string, Slot> _slots = new(StringComparer.Ordinal);

    /// <summary>Makes the supervisor.</summary>
    /// <param name="liveEntities">Persistence ids of the living entities whose id starts with the given text; asked once per start.</param>
    /// <param name="ns">How the actor of a namespace is made (<see cref="NamespaceActor"/>).</param>
    /// <param name="settings">Limits and times.</param>
    /// <param name="time">The clock.</param>
    public NamespacesSupervisor(
        Func<string, IReadOnlyList<string>> liveEntities, Func<string, Props> ns, NamespaceSettings settings, TimeProvider time)
    {
        _liveEntities = liveEntities;
        _namespace = ns;
        _settings = settings;
        _time = time;
    }

    /// <inheritdoc />
    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>How the supervisor is made.</summary>
    public static Props Props(
        Func<string, IReadOnlyList<string>> liveEntities, Func<string, Props> ns, NamespaceSettings settings, TimeProvider time) =>
        Akka.Actor.Props.Create(() => new NamespacesSupervisor(liveEntities, ns, settings, time));

    /// <inheritdoc />
    protected override void PreStart()
    {
        Context.System.EventStream.Subscribe(Self, typeof(DeadLetter));
        foreach (string id in _liveEntities(EntityIds.NamespacePrefix))
        {
            Start(id[EntityIds.NamespacePrefix.Length..]);
        }
    }

    // A namespace that fails is stopped, so that it comes back from the journal after a pause and never at once.
    /// <inheritdoc />
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(_ => Directive.Stop);

    /// <inheritdoc />
    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case NamespaceQueries.List:
                ListAsync().PipeTo(Sender);
                break;
            case IInNamespace request:
                Route(request);
                break;
            case Terminated ended:
                OnStopped(ended.ActorRef.Path.Name);
                break;
            case StartAgain again:
                Start(again.Namespace);
                break;
            case DeadLetter { Message: IRequest lost } dead when dead.Recipient.Path.Parent.Equals(Self.Path):
                // It was on its way when the namespace stopped; its client would wait for nothing.
                dead.Sender.Tell(lost.Refusal(Error.Unavailable($"namespace \"{dead.Recipient.Path.Name}\" stopped and is started again soon")));
                break;
            case DeadLetter:
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    private void Route(IInNamespace message)
    {
        if (_slots.TryGetValue(message.Namespace, out Slot? slot))
        {
            if (slot.Actor is { } running)
            {
                running.Forward(message);
            }
            else
            {
                Refuse(message, Error.Unavailable($"namespace \"{message.Namespace}\" stopped and is started again soon"));
            }
        }
        else if (message is NamespaceQueries.GetState)
        {
            // Asking about a namespace does not make it.
            Sender.Tell(Reply.Done(new NamespaceState(message.Namespace)));
        }
        else if (message is NamespaceQueries.Explain or NamespaceQueries.Preview)
        {
            Refuse(message, Error.NotFound($"namespace \"{message.Namespace}\""));
        }
        else if (Identifiers.Validate(message.Namespace) is { } badName)
        {
            Refuse(message, badName);
        }
        else if (_slots.Count >= _settings.ChildrenMax)
        {
            Refuse(message, new Error(
                ErrorKind.ResourceExhausted, $"namespace \"{message.Namespace}\": {_slots.Count} exist ({NamespaceSettings.Path}.children-max)"));
        }
        else
        {
            Start(message.Namespace).Forward(message);
        }
    }

    private void Refuse(object message, Error error)
    {
        if (message is IRequest request)
        {
            Sender.Tell(request.Refusal(error));
        }
    }

    private IActorRef Start(string ns)
    {
        if (!_slots.TryGetValue(ns, out Slot? slot))
        {
            _slots[ns] = slot = new Slot();
        }

        slot.Actor = Context.Watch(Context.ActorOf(_namespace(ns), ns));
        slot.StartedAt = _time.GetTimestamp();
        return slot.Actor;
    }

    private void OnStopped(string ns)
    {
        Slot slot = _slots[ns];
        slot.Actor = null;
        slot.Stops = _time.GetElapsedTime(slot.StartedAt) >= _settings.BackoffReset ? 1 : slot.Stops + 1;
        const int DoublingsMax = 30;
        TimeSpan pause = TimeSpan.FromTicks(Math.Min(
            _settings.BackoffMax.Ticks, _settings.BackoffMin.Ticks << Math.Min(slot.Stops - 1, DoublingsMax)));
        _log.Error("namespace {0} stopped ({1} in a row); it is started again in {2}", ns, slot.Stops, pause);
        Timers.StartSingleTimer(ns, new StartAgain(ns), pause);
    }

    private async Task<Reply<ImmutableArray<NamespaceState>>> ListAsync()
    {
        string? away = _slots.FirstOrDefault(slot => slot.Value.Actor is null).Key;
        if (away is not null)
        {
            return Reply.Refused<ImmutableArray<NamespaceState>>(
                Error.Unavailable($"namespace \"{away}\" stopped and is started again soon"));
        }

        try
        {
            Reply<NamespaceState>[] states = await Task.WhenAll(_slots.Select(slot =>
                slot.Value.Actor.Ask<Reply<NamespaceState>>(new NamespaceQueries.GetState(slot.Key), _settings.ListTimeout)))
                .ConfigureAwait(false);
            return Reply.Done<ImmutableArray<NamespaceState>>(
            [
                .. states.Select(state => state.Value).Where(state => state.Exists).OrderBy(state => state.Name, StringComparer.Ordinal),
            ]);
        }
        catch (AskTimeoutException)
        {
            return Reply.Refused<ImmutableArray<NamespaceState>>(new Error(
                ErrorKind.DeadlineExceeded, $"namespaces: not all answered within {_settings.ListTimeout} ({NamespaceSettings.Path}.list-timeout)"));
        }
    }

    private sealed record StartAgain(string Namespace);

    private sealed class Slot
    {
        /// <summary>The running actor; null while it waits to be started again.</summary>
        public IActorRef? Actor { get; set; }

        /// <summary>When it was started, as a timestamp of the clock.</summary>
        public long StartedAt { get; set; }

        /// <summary>Stops in a row.</summary>
        public int Stops { get; set; }
    }
}
