// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Akka.Actor;
using Containerd.Actors.Core.GarbageCollection;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;

namespace Containerd.Actors.Supervision.Snapshots;

/// <summary>Owns what is under way with a snapshotter in another process, and the numbers in the keys it is given.</summary>
/// <remarks>
/// It never waits: each request is with <see cref="ProxyRequests"/>, which ends within the plugin's bound, and comes back as a message.
/// So a plugin that hangs holds up its own callers, up to a number of them, and nobody else.
/// </remarks>
[SuppressMessage("Design", "CA1001", Justification = "An actor ends in PostStop, where the token source is disposed.")]
public sealed class ProxySnapshotterActor : UntypedActor
{
    private readonly IProxiedSnapshotter _plugin;
    private readonly ProxySettings _settings;
    private readonly ProxyRequests _requests;
    private readonly CancellationTokenSource _stopped = new();
    private readonly HashSet<long> _preparing = [];
    private int _running;
    private long _lastNumber;
    private long _generation;
    private ProxySweepBound _bound = new(0, [], IsQuiet: false);

    public ProxySnapshotterActor(IProxiedSnapshotter plugin, IActorRef namespaces, ProxySettings settings, TimeProvider time)
    {
        (_plugin, _settings) = (plugin, settings);
        _requests = new ProxyRequests(plugin, namespaces, settings.AnswerTimeout, time);
        // Numbers of an earlier life may be left in the plugin: those of this one begin above them without asking it.
        _lastNumber = time.GetUtcNow().ToUnixTimeMilliseconds() << 10;
    }

    /// <summary>The actor <c>/user/containerd/snapshots/NAME</c>.</summary>
    public static Props Props(IProxiedSnapshotter plugin, IActorRef namespaces, ProxySettings settings, TimeProvider time) =>
        Akka.Actor.Props.Create(() => new ProxySnapshotterActor(plugin, namespaces, settings, time));

    /// <inheritdoc />
    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case IForSnapshotter operation when _running >= _settings.OperationsMax: Sender.Tell(operation.Refusal(Full())); break;
            case SnapshotterCommands.Cleanup cleanup: Run(_requests.CleanupAsync(cleanup, Now(), _stopped.Token), 0); break;
            case IForSnapshotter operation: Begin(operation); break;
            case SnapshotterActor.Generation generation: (_generation, _bound) = (generation.Number, Now()); break;
            case SnapshotterActor.Sweep sweep: OnSweep(sweep); break;
            case Finished finished: OnFinished(finished); break;
            default: Unhandled(message); break;
        }
    }

    /// <inheritdoc />
    protected override void PostStop()
    {
        _stopped.Cancel();
        _stopped.Dispose();
    }

    private void Begin(IForSnapshotter operation)
    {
        long number = operation is SnapshotterCommands.Prepare ? ++_lastNumber : 0;
        if (number > 0)
        {
            _preparing.Add(number);
        }

        Run(_requests.RunAsync(operation, number, _stopped.Token), number);
    }

    private void OnSweep(SnapshotterActor.Sweep sweep)
    {
        if (sweep.Generation == _generation)
        {
            Run(_requests.SweepAsync(sweep, _bound, _stopped.Token), 0);
        }
        else
        {
            Sender.Tell(Reply.Done(new Swept(0, 0)));
        }
    }

    private void OnFinished(Finished finished)
    {
        _running--;
        _preparing.Remove(finished.Number);
        finished.ReplyTo.Tell(finished.Reply);
    }

    private void Run(Task<object> request, long number)
    {
        _running++;
        IActorRef replyTo = Sender;
        request.PipeTo(Self, success: reply => new Finished(number, replyTo, reply));
    }

    private ProxySweepBound Now() => new(_lastNumber, [.. _preparing], _preparing.Count == 0);

    private Error Full() => new(
        ErrorKind.ResourceExhausted,
        $"snapshotter {_plugin.Name}: {_settings.OperationsMax} requests are with its plugin (containerd.proxy-plugins.{_plugin.Name}.operations-max)");

    private sealed record Finished(long Number, IActorRef ReplyTo, object Reply);
}

/// <summary>What a sweep may take: what had a record before it, or none.</summary>
/// <param name="Number">Numbers above it are younger than the mark.</param>
/// <param name="Unsettled">Numbers that were being prepared.</param>
/// <param name="IsQuiet">True when nothing was being prepared, so that keys the plugin made itself are known to namespaces or to nobody.</param>
internal sealed record ProxySweepBound(long Number, ImmutableHashSet<long> Unsettled, bool IsQuiet)
{
    /// <summary>Whether a key with this number, or with none, may go.</summary>
    public bool MayGo(long? number) => number is { } known ? known <= Number && !Unsettled.Contains(known) : IsQuiet;
}
