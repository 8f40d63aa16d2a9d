// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Akka.Actor;
using Akka.Event;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Core.Restarts;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Containers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Tasks;

namespace Containerd.Actors.Supervision.Restarts;

/// <summary>Looks at all containers from time to time and has tasks restarted or stopped as their labels ask.</summary>
/// <remarks>
/// <code>
/// waiting --interval--> looking --decisions--> one child per container that has something to be done --> waiting
/// </code>
/// <see cref="RestartDecision"/> decides. A container is worked on by one child at a time; a look finds it again when that one is done.
/// Nothing is remembered but which tasks were created at the last look: everything else is in labels and tasks.
/// </remarks>
public sealed class RestartMonitor : UntypedActor, IWithTimers
{
    private static readonly TimeSpan ListTimeout = TimeSpan.FromSeconds(30);

    private readonly IActorRef _tree;
    private readonly RestartSettings _settings;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private ImmutableHashSet<(string Namespace, string Id)> _created = [];
    private ImmutableDictionary<(string Namespace, string Id), string> _complaints =
        ImmutableDictionary<(string Namespace, string Id), string>.Empty;

    /// <summary>Makes the monitor.</summary>
    /// <param name="tree">The root of the tree.</param>
    /// <param name="settings">When it looks.</param>
    public RestartMonitor(IActorRef tree, RestartSettings settings) => (_tree, _settings) = (tree, settings);

    /// <inheritdoc />
    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>The actor <c>/user/containerd/restart-monitor</c>.</summary>
    public static Props Props(IActorRef tree, RestartSettings settings) => Akka.Actor.Props.Create(() => new RestartMonitor(tree, settings));

    /// <inheritdoc />
    protected override void PreStart() => Timers.StartSingleTimer(nameof(Look), new Look(), TimeSpan.Zero);

    /// <inheritdoc />
    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case Look: SeeAsync().PipeTo(Self, failure: e => new Seen([], e.Message)); break;
            case Seen seen: Decide(seen); break;
            default: Unhandled(message); break;
        }
    }

    private async Task<Seen> SeeAsync()
    {
        ImmutableArray<NamespaceState> namespaces = await AskAsync(new NamespaceQueries.List()).ConfigureAwait(false);
        ImmutableArray<Container>[] each = await Task.WhenAll(namespaces.Select(ns => SeeAsync(ns.Name))).ConfigureAwait(false);
        return new Seen([.. each.SelectMany(containers => containers)], null);
    }

    private async Task<ImmutableArray<Container>> SeeAsync(string ns)
    {
        Caller by = Caller.Policy("restart monitor");
        try
        {
            ImmutableArray<ContainerRecord> containers = await AskAsync(new ContainerQueries.List(ns, by)).ConfigureAwait(false);
            containers = [.. containers.Where(container => container.Labels.ContainsKey(RestartLabels.Status))];
            if (containers.IsEmpty)
            {
                return [];
            }

            ImmutableArray<ProcessRecord> tasks = await AskAsync(new TaskQueries.List(ns, by)).ConfigureAwait(false);
            Dictionary<string, ProcessRecord> byId = tasks.ToDictionary(task => task.ContainerId, StringComparer.Ordinal);
            return [.. containers.Select(container => new Container(ns, container, byId.GetValueOrDefault(container.Id)))];
        }
        catch (Exception e) when (e is RefusedException or AskTimeoutException)
        {
            // One namespace that is being started again holds up no other.
            _log.Warning("restart monitor: namespace {0}: {1}", ns, e.Message);
            return [];
        }
    }

    private async Task<T> AskAsync<T>(IRequest<T> request) => (await _tree.Ask<Reply<T>>(request, ListTimeout).ConfigureAwait(false)).Value;

    private void Decide(Seen seen)
    {
        if (seen.Failure is { } failure)
        {
            _log.Warning("restart monitor: {0}", failure);
        }

        foreach (Container container in seen.Containers)
        {
            Carry(container, RestartDecision.Of(container.Record.Labels, container.Task, _created.Contains(container.Key)));
        }

        _created = [.. seen.Containers.Where(container => container.Task?.Status == ProcessStatus.Created).Select(container => container.Key)];
        Timers.StartSingleTimer(nameof(Look), new Look(), _settings.Interval);
    }

    private void Carry(Container container, RestartDecision decision)
    {
        string name = Uri.EscapeDataString($"{container.Namespace}:{container.Record.Id}");
        switch (decision)
        {
            // Said once for what it is, not at every look.
            case RestartDecision.Complain complain when _complaints.GetValueOrDefault(container.Key) != complain.Error.Text:
                _complaints = _complaints.SetItem(container.Key, complain.Error.Text);
                _log.Error("container {0} in {1} is not restarted: {2}", container.Record.Id, container.Namespace, complain.Error.Text);
                break;
            case RestartDecision.Start or RestartDecision.Stop when Context.Child(name).IsNobody() && Context.GetChildren().Count() < _settings.OperationsMax:
                _complaints = _complaints.Remove(container.Key);
                Context.ActorOf(RestartOperation.Props(_tree, container.Namespace, container.Record, container.Task, decision, _settings), name);
                break;
        }
    }

    // See the row restart-monitor of the failure table: an operation that fails is found again by the next look.
    /// <inheritdoc />
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(_ => Directive.Stop);

    private sealed record Look;

    private sealed record Seen(ImmutableArray<Container> Containers, string? Failure);

    private sealed record Container(string Namespace, ContainerRecord Record, ProcessRecord? Task)
    {
        public (string Namespace, string Id) Key => (Namespace, Record.Id);
    }
}
