// SPDX-License-Identifier: Apache-2.0

using Akka.Actor;
using Containerd.Actors.Core.Pulls;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Pulls;

namespace Containerd.Actors.Supervision.Namespaces.Pulls;

/// <summary>Owns one blob of a pull: wait for its turn, fetch it, unpack it wherever the plan says.</summary>
/// <remarks>
/// <code>
/// idle --Fetch--> waiting --turn--> fetching --> stored --Unpack--> unpacking --> stored
///                    |                  |                               |
///                    +----- failed -----+-------------------------------+
/// </code>
/// The bytes never pass through a mailbox of this actor; what comes are counts. Every Fetch and Unpack is answered to the pull, also when
/// it is given up, and by then nothing of it is under way any more.
/// </remarks>
internal sealed class LayerActor : UntypedActor, IWithTimers
{
    // Turns are not stored anywhere: should whoever gives them be restarted, it hears of this wait again.
    private static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(10);

    private readonly PullSteps _steps;
    private readonly IActorRef _tree;
    private readonly Descriptor _layer;
    private readonly int _position;
    private readonly CancellationToken _cancellationToken;
    private readonly CancellationTokenRegistration _registration;
    private bool _waits;

    public LayerActor(PullSteps steps, IActorRef tree, Descriptor layer, int position, CancellationToken cancellationToken)
    {
        (_steps, _tree, _layer, _position, _cancellationToken) = (steps, tree, layer, position, cancellationToken);
        IActorRef self = Self;
        _registration = cancellationToken.Register(() => self.Tell(GiveUp.Value, ActorRefs.NoSender));
    }

    /// <summary>Fetch it.</summary>
    internal sealed record Fetch;

    /// <summary>Its parent is there.</summary>
    internal sealed record Unpack(int Snapshot, PlannedSnapshot Planned, string Parent);

    /// <summary>Bytes are coming; told to the pull.</summary>
    internal sealed record Moved(int Position, long Offset);

    /// <summary>It is stored; told to the pull.</summary>
    internal sealed record Stored(int Position, bool WasThere);

    /// <summary>A snapshot is committed; told to the pull.</summary>
    internal sealed record Unpacked(int Snapshot);

    /// <summary>A step could not be taken; told to the pull.</summary>
    internal sealed record Broke(Error Error);

    private sealed record GiveUp
    {
        public static GiveUp Value { get; } = new();
    }

    private sealed record AskForTurn;

    /// <inheritdoc />
    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(PullSteps steps, IActorRef tree, Descriptor layer, int position, CancellationToken cancellationToken) =>
        Akka.Actor.Props.Create(() => new LayerActor(steps, tree, layer, position, cancellationToken));

    protected override void OnReceive(object message)
    {
        IActorRef pull = Context.Parent;
        switch (message)
        {
            case Fetch: Wait(); break;
            case AskForTurn when _waits: _tree.Tell(new DownloadCommands.Ask(_layer.Digest)); break;
            case DownloadTurn when _waits: Begin(pull); break;
            case DownloadTurn: _tree.Tell(new DownloadCommands.Leave()); break;
            case GiveUp when _waits: Leave(new Broke(PullActor.ErrorOf(new OperationCanceledException()))); break;
            case GiveUp or AskForTurn: break;
            case Unpack unpack: Start(unpack); break;
            case Fetched fetched: Leave(fetched.Answer); break;
            case Unpacked or Broke: pull.Tell(message); break;
            default: Unhandled(message); break;
        }
    }

    protected override void PostStop() => _registration.Dispose();

    private void Wait()
    {
        if (_cancellationToken.IsCancellationRequested)
        {
            Context.Parent.Tell(new Broke(PullActor.ErrorOf(new OperationCanceledException())));
            return;
        }

        _waits = true;
        _tree.Tell(new DownloadCommands.Ask(_layer.Digest));
        Timers.StartPeriodicTimer(nameof(AskForTurn), new AskForTurn(), AskAgain, AskAgain);
    }

    private void Begin(IActorRef pull)
    {
        _waits = false;
        Timers.Cancel(nameof(AskForTurn));
        _steps.FetchAsync(_layer, offset => pull.Tell(new Moved(_position, offset), ActorRefs.NoSender), _cancellationToken)
            .PipeTo(
                Self,
                success: wasThere => new Fetched(new Stored(_position, wasThere)),
                failure: cause => new Fetched(new Broke(PullActor.ErrorOf(cause))));
    }

    private void Start(Unpack unpack) => _steps.UnpackAsync(_layer, unpack.Planned, unpack.Parent, _cancellationToken)
        .PipeTo(Self, success: () => new Unpacked(unpack.Snapshot), failure: cause => new Broke(PullActor.ErrorOf(cause)));

    private void Leave(object answer)
    {
        _waits = false;
        Timers.Cancel(nameof(AskForTurn));
        _tree.Tell(new DownloadCommands.Leave());
        Context.Parent.Tell(answer);
    }

    private sealed record Fetched(object Answer);
}
