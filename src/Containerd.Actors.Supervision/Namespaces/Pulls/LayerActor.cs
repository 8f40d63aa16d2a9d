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
///                    |                |   |         |                   |
///                    |    (arriving) Unpack         +--(detached) Unpack--> extracted --Link, Drop--> stored
///                    |                |   |                             |     ^
///                    |                +---|--> extracting while it comes +-----+
///                    +----- failed -------+------------------------------+
/// </code>
/// The bytes never pass through a mailbox of this actor; what comes are counts. Every request of the pull is answered, also when it is
/// given up, and by then nothing of it is under way any more. An extracted snapshot stays with this actor until it is linked or dropped.
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
    private readonly Dictionary<int, ExtractedSnapshot> _extracted = [];
    private bool _waits;

    public LayerActor(PullSteps steps, IActorRef tree, Descriptor layer, int position, CancellationToken cancellationToken)
    {
        (_steps, _tree, _layer, _position, _cancellationToken) = (steps, tree, layer, position, cancellationToken);
        IActorRef self = Self;
        _registration = cancellationToken.Register(() => self.Tell(GiveUp.Value, ActorRefs.NoSender));
    }

    /// <summary>Fetch it.</summary>
    internal sealed record Fetch;

    /// <summary>Unpack it onto its parent or, detached, before that is there; arriving, before it is stored.</summary>
    internal sealed record Unpack(int Snapshot, PlannedSnapshot Planned, string Parent, bool IsDetached, bool IsArriving);

    /// <summary>What was extracted can be committed on its parent.</summary>
    internal sealed record Link(int Snapshot, PlannedSnapshot Planned, string Parent);

    /// <summary>What was extracted is not wanted any more.</summary>
    internal sealed record Drop(int Snapshot, PlannedSnapshot Planned);

    /// <summary>Bytes are coming; told to the pull.</summary>
    internal sealed record Moved(int Position, long Offset);

    /// <summary>It is stored; told to the pull.</summary>
    internal sealed record Stored(int Position, bool WasThere);

    /// <summary>A snapshot is committed; told to the pull.</summary>
    internal sealed record Unpacked(int Snapshot);

    /// <summary>A snapshot is extracted and waits for its link; told to the pull.</summary>
    internal sealed record Extracted(int Snapshot);

    /// <summary>A snapshot could not be extracted while its layer came; told to the pull.</summary>
    internal sealed record Missed(int Snapshot);

    /// <summary>This snapshotter needs the parent first; told to the pull.</summary>
    internal sealed record NeedsParent(int Snapshot);

    /// <summary>An extracted snapshot is removed; told to the pull.</summary>
    internal sealed record Dropped;

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
            case Unpack { IsDetached: true } or Unpack { IsArriving: true }: Extract((Unpack)message); break;
            case Unpack unpack: Start(unpack); break;
            case Link link: Finish(link); break;
            case Drop drop: Remove(drop); break;
            case Fetched fetched: Leave(fetched.Answer); break;
            case ExtractEnded { Extracted: { } extracted } ended:
                _extracted[ended.Snapshot] = extracted;
                pull.Tell(new Extracted(ended.Snapshot));
                break;
            case ExtractEnded ended: pull.Tell(new Unpacked(ended.Snapshot)); break;
            case Unpacked or Broke or NeedsParent or Missed or Dropped: pull.Tell(message); break;
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

    private void Extract(Unpack unpack) =>
        _steps.ExtractAsync(_layer, unpack.Planned, unpack.IsDetached ? null : unpack.Parent, unpack.IsArriving, _cancellationToken)
            .PipeTo(Self, success: extracted => new ExtractEnded(unpack.Snapshot, extracted), failure: cause => WhyNot(unpack, PullActor.ErrorOf(cause)));

    // What is wrong with a layer that still comes is told by whoever verifies it; until then it may be half a layer.
    private static object WhyNot(Unpack unpack, Error error) =>
        unpack.IsDetached && error.Kind == ErrorKind.NotImplemented ? new NeedsParent(unpack.Snapshot)
        : unpack.IsArriving ? new Missed(unpack.Snapshot)
        : new Broke(error);

    private void Finish(Link link)
    {
        _extracted.Remove(link.Snapshot, out ExtractedSnapshot? extracted);
        _steps.LinkAsync(_layer, link.Planned, extracted!, link.Parent)
            .PipeTo(Self, success: () => new Unpacked(link.Snapshot), failure: cause => new Broke(PullActor.ErrorOf(cause)));
    }

    private void Remove(Drop drop)
    {
        _extracted.Remove(drop.Snapshot, out ExtractedSnapshot? extracted);
        _steps.DropAsync(drop.Planned, extracted!).PipeTo(Self, success: () => new Dropped(), failure: _ => new Dropped());
    }

    private void Leave(object answer)
    {
        _waits = false;
        Timers.Cancel(nameof(AskForTurn));
        _tree.Tell(new DownloadCommands.Leave());
        Context.Parent.Tell(answer);
    }

    private sealed record Fetched(object Answer);

    private sealed record ExtractEnded(int Snapshot, ExtractedSnapshot? Extracted);
}
