// SPDX-License-Identifier: Apache-2.0

using System.Security.Cryptography;
using System.Text;
using Akka.Actor;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Pulls;

namespace Containerd.Actors.Supervision.Namespaces.Pulls;

/// <summary>The pulls of one namespace: one child per image that is being pulled, however many ask for it.</summary>
/// <remarks>The operation id follows from what is pulled, so that the same request finds the same pull, also after its caller hung up.</remarks>
public sealed class PullsSupervisor : UntypedActor, IWithTimers
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly string _namespace;
    private readonly IActorRef _tree;
    private readonly ImageSources _sources;
    private readonly PullSettings _settings;
    private readonly Func<string, IReadOnlyList<string>> _liveEntities;
    private readonly TimeProvider _time;

    // Requests for a pull whose actor has told its end and is not gone yet.
    private readonly Dictionary<string, Queue<(PullCommands.Pull Pull, IActorRef Sender)>> _ending = [];

    /// <summary>Makes the supervisor.</summary>
    public PullsSupervisor(
        string ns, IActorRef tree, ImageSources sources, PullSettings settings, Func<string, IReadOnlyList<string>> liveEntities, TimeProvider time) =>
        (_namespace, _tree, _sources, _settings, _liveEntities, _time) = (ns, tree, sources, settings, liveEntities, time);

    /// <summary>A pull takes no more requests: it is about to tell its watchers the end.</summary>
    internal sealed record Ended(string Operation);

    private sealed record Recover(string Operation);

    /// <inheritdoc />
    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>The actor <c>/user/containerd/namespaces/NS/pulls</c>.</summary>
    public static Props Props(
        string ns, IActorRef tree, ImageSources sources, PullSettings settings, Func<string, IReadOnlyList<string>> liveEntities, TimeProvider time) =>
        Akka.Actor.Props.Create(() => new PullsSupervisor(ns, tree, sources, settings, liveEntities, time));

    /// <summary>The id of a pull: the same for requests that want the same of the same place under the same lease.</summary>
    public static string OperationOf(PullCommands.Pull pull)
    {
        PullWish wish = pull.Wish;
        string[] parts =
        [
            pull.Reference,
            string.Join(',', wish.Names.Select(name => name.AddsDigest ? $"{name.Name}@" : name.Name)),
            string.Join(',', wish.Labels.Select(label => $"{label.Key}={label.Value}")),
            string.Join(',', wish.Platforms.Platforms.Select(Platforms.Text)),
            $"{wish.Platforms.IncludesRelatives} {wish.Platforms.Limit} {wish.IncludesMetadata}",
            string.Join(',', wish.Unpacks.Select(unpack => $"{(unpack.Platform is null ? "" : Platforms.Text(unpack.Platform))} {unpack.Snapshotter}")),
            $"{pull.Source.IsPlainHttp} {pull.Source.IsHttpsOnly} {pull.Source.HostsDirectory}",
            pull.By.Lease,
        ];
        byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', parts)));
        return $"pull-{Convert.ToHexStringLower(hash.AsSpan(0, 8))}";
    }

    /// <inheritdoc />
    protected override void PreStart()
    {
        // A pull that a killed daemon left is woken to record its failure.
        string prefix = EntityIds.Pull(_namespace, "");
        foreach (string left in _liveEntities(prefix))
        {
            Start(left[prefix.Length..]);
        }
    }

    /// <inheritdoc />
    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case PullCommands.Pull pull: Pull(pull, Sender); break;
            case Ended ended: _ending.TryAdd(ended.Operation, new Queue<(PullCommands.Pull, IActorRef)>()); break;
            case Recover recover when Context.Child(recover.Operation).IsNobody(): Start(recover.Operation); break;
            case Recover: break;
            case Terminated gone: Gone(gone.ActorRef.Path.Name); break;
            default: Unhandled(message); break;
        }
    }

    /// <inheritdoc />
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(_ => Directive.Stop);

    private void Pull(PullCommands.Pull pull, IActorRef sender)
    {
        string operation = OperationOf(pull);
        if (pull.Reference.Length == 0)
        {
            sender.Tell(Reply.Refused<Nothing>(Error.Invalid("reference must not be empty")));
        }
        else if (pull.Wish.Names.IsEmpty)
        {
            sender.Tell(Reply.Refused<Nothing>(Error.NotFound("no image name provided")));
        }
        else if (_ending.TryGetValue(operation, out Queue<(PullCommands.Pull, IActorRef)>? waiting))
        {
            waiting.Enqueue((pull, sender));
        }
        else if (Context.Child(operation) is { } actor && !actor.IsNobody())
        {
            actor.Tell(pull, sender);
        }
        else if (Context.GetChildren().Count() >= _settings.PullsMax)
        {
            sender.Tell(Reply.Refused<Nothing>(new Error(
                ErrorKind.ResourceExhausted,
                $"{pull.Reference}: {_settings.PullsMax} pulls are under way in namespace \"{_namespace}\" ({PullSettings.Path}.pulls-max)")));
        }
        else
        {
            Start(operation).Tell(pull, sender);
        }
    }

    private void Gone(string operation)
    {
        if (_ending.Remove(operation, out Queue<(PullCommands.Pull Pull, IActorRef Sender)>? waiting))
        {
            foreach ((PullCommands.Pull pull, IActorRef sender) in waiting)
            {
                Pull(pull, sender);
            }
        }
        else
        {
            // It stopped without an end: a new actor finds in the journal that it was begun, records its failure and returns its lease.
            Timers.StartSingleTimer(operation, new Recover(operation), Pause);
        }
    }

    private IActorRef Start(string operation) =>
        Context.Watch(Context.ActorOf(PullActor.Props(operation, _namespace, _tree, _sources, _settings, _time), operation));
}
