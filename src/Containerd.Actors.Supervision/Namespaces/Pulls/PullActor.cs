// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Akka.Actor;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.Leases;
using Containerd.Actors.Core.Linux;
using Containerd.Actors.Core.Pulls;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Oci.References;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Pulls;
using Containerd.Actors.Registry.Authentication;
using Containerd.Actors.Supervision.Entities;

namespace Containerd.Actors.Supervision.Namespaces.Pulls;

/// <summary>Owns one pull: what it is at, who watches it, and its blobs, one child each.</summary>
/// <remarks>
/// <code>
/// resolving --documents stored--> fetching, unpacking --all there--> naming --> completed
///     |                              |                                 |
///     +------------------------------+-------- failed, given up -------+
/// </code>
/// <see cref="PullPlan"/> says what is fetched and unpacked next; <c>PullActor.Plan.cs</c> only begins it. A pull that fails ends when nothing of it is
/// under way any more, and gives its lease back then. A daemon that is killed leaves a pull that is recorded as failed at the next start,
/// which gives the lease back too; the next attempt goes on from the uploads that it left.
/// </remarks>
[SuppressMessage("Design", "CA1001", Justification = "An actor ends in PostStop, where both are disposed.")]
internal sealed partial class PullActor : EntityActor<PullState>, IWithTimers
{
    private readonly string _operation;
    private readonly IActorRef _tree;
    private readonly ImageSources _sources;
    private readonly PullSettings _settings;
    private readonly CancellationTokenSource _cancellation = new();
    private readonly List<IActorRef> _layers = [];
    private readonly List<int> _underWay = [];
    private PullWatchers? _watchers;
    private PullCommands.Pull? _pull;
    private PullSteps? _steps;
    private PreparedImage? _image;
    private PullPlan? _plan;
    private PullProgress _progress;
    private Error? _failure;
    private bool _goesOn;

    // True once the end is on its way to the journal; what is told before that is never final.
    private bool _ends;

    // Steps of this actor itself that are under way: preparing, naming.
    private int _own;

    public PullActor(string operation, string ns, IActorRef tree, ImageSources sources, PullSettings settings, TimeProvider time)
        : base(EntityIds.Pull(ns, operation), ns, PullState.Empty, time)
    {
        (_operation, _tree, _sources, _settings) = (operation, tree, sources, settings);
        _progress = new PullProgress(operation, "", PullStage.Resolving, [], null, null);
    }

    private sealed record Report;

    private sealed record Resolved(Descriptor Target);

    private sealed record DocumentMoved(LayerProgress Document);

    private sealed record Prepared(PreparedImage Image);

    private sealed record Finished(ImmutableArray<string> Names);

    private sealed record Released(PullProgress Last, DomainEvent Event);

    private sealed record Broke(Error Error);

    /// <inheritdoc />
    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(string operation, string ns, IActorRef tree, ImageSources sources, PullSettings settings, TimeProvider time) =>
        Akka.Actor.Props.Create(() => new PullActor(operation, ns, tree, sources, settings, time));

    /// <summary>What a failure is to whoever asked.</summary>
    internal static Error ErrorOf(Exception cause) => cause switch
    {
        RefusedException refused => refused.Error,
        LinuxException failed => failed.Error.ToError(),
        OperationCanceledException => new Error(ErrorKind.Canceled, "pull was given up"),
        AggregateException { InnerException: { } inner } => ErrorOf(inner),
        _ => Error.Unknown(cause.Message),
    };

    protected override PullState Apply(PullState state, DomainEvent e) => state.Apply(e);

    // Only an actor that was started for a request has one; one that is started for what a daemon left ends again.
    protected override void OnRecovered()
    {
        if (Stored.Reference.Length == 0)
        {
            return;
        }

        Caller by = Caller.Actor(Self.Path.ToStringWithoutAddress());
        _tree.Tell(new LeaseCommands.Delete(Namespace, _operation, by), ActorRefs.NoSender);
        Record(
            [new PullEvents.Failed(Error.Unavailable($"{Stored.Reference}: the daemon ended during the pull"))],
            by,
            () =>
            {
                if (_pull is null)
                {
                    Leave();
                }
            },
            _ => Leave());
    }

    protected override void OnCommand(object message)
    {
        switch (message)
        {
            case PullCommands.Pull pull: Join(pull); break;
            case Terminated gone: OnGone(gone.ActorRef); break;
            case PullQueries.FindCredentials find: _watchers!.Ask(find.Host, Sender); break;
            case Reply<PullCredentials> answer: _watchers!.Answer(answer, Sender); break;
            case Resolved resolved: Changed(_progress with { Root = resolved.Target }); break;
            case DocumentMoved moved: Follow(moved.Document); break;
            case LayerActor.Moved moved: Follow(moved); break;
            case Prepared or Finished or Broke or LayerActor.Stored or LayerActor.Unpacked or LayerActor.Extracted: Settle(message); break;
            case LayerActor.NeedsParent or LayerActor.Missed or LayerActor.Dropped or LayerActor.Broke: Settle(message); break;
            case Released released: Close(released); break;
            case Report: _watchers!.Tell(_progress); break;
            default: Unhandled(message); break;
        }
    }

    protected override void PostStop()
    {
        if (!_progress.IsFinal)
        {
            // Stopped by a bug or with the tree. The journal holds that the pull was begun: whoever starts it again records its end.
            Error error = new(ErrorKind.Internal, $"{_progress.Reference}: the pull stopped");
            _watchers?.Tell(_progress with { Stage = PullStage.Failed, Error = error });
        }

        _cancellation.Cancel();
        _cancellation.Dispose();
        _steps?.Dispose();
    }

    // A blob's actor that fails is not tried again: the pull fails with it.
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(_ => Directive.Stop);

    private void Join(PullCommands.Pull pull)
    {
        if (_failure is not null || _ends)
        {
            // Too late for this pull: its supervisor starts another when this one is gone.
            Context.Parent.Forward(pull);
            return;
        }

        _watchers ??= new PullWatchers(pull.Reference, Self);
        _watchers.Add(Sender, pull.Source.AsksForCredentials);
        Context.Watch(Sender);
        _goesOn |= pull.GoesOn;
        if (_pull is not null)
        {
            Sender.Tell(_progress);
            return;
        }

        _pull = pull;
        _progress = _progress with { Reference = pull.Reference };
        Record(
            [new PullEvents.Requested(
                pull.Reference,
                string.Join(',', pull.Wish.Unpacks.Select(unpack => unpack.Snapshotter).Distinct(StringComparer.Ordinal)),
                string.Join(',', pull.Wish.Platforms.Platforms.Select(Platforms.Text)))],
            pull.By,
            Start,
            error => Conclude(_progress with { Stage = PullStage.Failed, Error = error }));
    }

    private void Start()
    {
        if (_failure is not null)
        {
            End();
            return;
        }

        try
        {
            ImageReference reference = ImageReference.Parse(_pull!.Reference);
            ICredentialStore? asked = _pull.Source.AsksForCredentials ? new AskedCredentials(Self, _settings.StepTimeout) : null;
            _steps = new PullSteps(_tree, _sources(reference, _pull.Source, asked), _pull, _operation, reference, _settings, Time);
        }
        catch (FormatException malformed)
        {
            Fail(Error.Invalid(malformed.Message));
            return;
        }
        catch (RefusedException refused)
        {
            Fail(refused.Error);
            return;
        }

        Changed(_progress);
        _own++;
        IActorRef self = Self;
        _steps.PrepareAsync(
            target => self.Tell(new Resolved(target), ActorRefs.NoSender),
            document => self.Tell(new DocumentMoved(document), ActorRefs.NoSender),
            _cancellation.Token).PipeTo(Self, success: image => new Prepared(image), failure: cause => new Broke(ErrorOf(cause)));
    }

    // One step has ended. Every other message only tells how far a step is.
    private void Settle(object ended)
    {
        switch (ended)
        {
            case Prepared prepared: _own--; Begin(prepared.Image); break;
            case Finished finished: _own--; Complete(finished.Names); break;
            case Broke broke: _own--; Fail(broke.Error); break;
            case LayerActor.Broke broke: EndOne(Sender); Fail(broke.Error); break;
            case LayerActor.Stored stored: EndOne(Sender); OnStored(stored); break;
            case LayerActor.Unpacked unpacked: EndOne(Sender); OnUnpacked(unpacked); break;
            case LayerActor.Extracted extracted: EndOne(Sender); OnExtracted(extracted); break;
            case LayerActor.NeedsParent needs: EndOne(Sender); OnNeedsParent(needs); break;
            case LayerActor.Missed missed: EndOne(Sender); OnMissed(missed); break;
            case LayerActor.Dropped: EndOne(Sender); break;
        }

        if (_failure is not null)
        {
            End();
        }
    }

    private void EndOne(IActorRef layer)
    {
        int position = _layers.IndexOf(layer);
        if (position >= 0)
        {
            _underWay[position]--;
        }
    }

    private void OnGone(IActorRef gone)
    {
        if (_layers.IndexOf(gone) is >= 0 and int position)
        {
            // What it had extracted goes with the lease.
            (_layers[position], _underWay[position]) = (ActorRefs.Nobody, 0);
            Fail(new Error(ErrorKind.Internal, $"{_progress.Reference}: {gone.Path.Name} stopped"));
            End();
        }
        else if (_watchers!.Remove(gone) && _watchers.IsEmpty && !_goesOn)
        {
            Fail(ErrorOf(new OperationCanceledException()));
        }
    }

    private void Complete(ImmutableArray<string> names) => Release(
        _progress with { Stage = PullStage.Completed, Target = _image!.Target.Digest, Names = names }, new PullEvents.Completed(_image.Target.Digest));

    // What is under way ends first, so that nothing is written behind the lease's back.
    private void Fail(Error error)
    {
        if (_failure is null && !_ends)
        {
            _failure = error;
            _cancellation.Cancel();
            Context.Parent.Tell(new PullsSupervisor.Ended(_operation));
            DropExtracted();
            End();
        }
    }

    private void End()
    {
        bool isIdle = _failure is not null && _own == 0 && _underWay.TrueForAll(count => count == 0);
        if (isIdle && !_ends && Stored.Reference.Length > 0)
        {
            Release(_progress with { Stage = PullStage.Failed, Error = _failure }, new PullEvents.Failed(_failure!));
        }
    }

    // The lease goes before the end is recorded: a daemon that is killed in between gives it back at its next start.
    private void Release(PullProgress last, DomainEvent e)
    {
        _ends = true;
        Context.Parent.Tell(new PullsSupervisor.Ended(_operation));
        (_steps?.ReleaseAsync() ?? Task.CompletedTask).PipeTo(Self, success: () => new Released(last, e));
    }

    private void Close(Released released) => Record(
        [released.Event],
        _pull!.By,
        () => Conclude(released.Last),
        error => Conclude(released.Last with { Stage = PullStage.Failed, Error = released.Last.Error ?? error }));

    private void Conclude(PullProgress last)
    {
        _progress = last;
        _watchers?.Tell(_progress);
        Leave();
    }

    private void Leave()
    {
        Context.Parent.Tell(new PullsSupervisor.Ended(_operation));
        Context.Stop(Self);
    }

    private void Changed(PullProgress progress)
    {
        _progress = progress;
        if (!Timers.IsTimerActive(nameof(Report)))
        {
            Timers.StartSingleTimer(nameof(Report), new Report(), _settings.ProgressInterval);
        }
    }
}
