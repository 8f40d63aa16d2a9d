// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;
using Akka.Actor;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.Linux;
using Containerd.Actors.Core.Pulls;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Oci.References;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Pulls;
using Containerd.Actors.Supervision.Entities;

namespace Containerd.Actors.Supervision.Namespaces.Pulls;

/// <summary>Owns one pull: what it is at, who watches it, and its layers, one child each.</summary>
/// <remarks>
/// <code>
/// resolving --documents stored--> fetching --all stored--> unpacking --top snapshot--> completed
///     |                              |                         |
///     +------------------------------+------------ failed -----+
/// </code>
/// Layers are fetched side by side and unpacked in order, each as soon as its parent is there. A daemon that is killed leaves a pull
/// that is recorded as failed at the next start; what it had stored makes the next attempt short.
/// </remarks>
[SuppressMessage("Design", "CA1001", Justification = "An actor ends in PostStop, where both are disposed.")]
internal sealed class PullActor : EntityActor<PullState>, IWithTimers
{
    private readonly string _operation;
    private readonly IActorRef _tree;
    private readonly ImageSources _sources;
    private readonly PullSettings _settings;
    private readonly HashSet<IActorRef> _watchers = [];
    private readonly CancellationTokenSource _cancellation = new();
    private readonly List<IActorRef> _layers = [];
    private PullCommands.Pull? _pull;
    private PullSteps? _steps;
    private PreparedImage? _image;
    private PullProgress _progress;
    private int _unpacked;

    public PullActor(string operation, string ns, IActorRef tree, ImageSources sources, PullSettings settings, TimeProvider time)
        : base(EntityIds.Pull(ns, operation), ns, PullState.Empty, time)
    {
        (_operation, _tree, _sources, _settings) = (operation, tree, sources, settings);
        _progress = new PullProgress(operation, "", PullStage.Resolving, [], null, null);
    }

    private sealed record Report;

    private sealed record Prepared(PreparedImage Image);

    private sealed record Finished;

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
        _ => Error.Unknown(cause.Message),
    };

    protected override PullState Apply(PullState state, DomainEvent e) => state.Apply(e);

    protected override void OnRecovered()
    {
        if (Stored.Reference.Length > 0)
        {
            Record(
                Caller.Actor(Self.Path.ToStringWithoutAddress()),
                new PullEvents.Failed(Error.Unavailable($"{Stored.Reference}: the daemon ended during the pull")));
        }
    }

    protected override void OnCommand(object message)
    {
        switch (message)
        {
            case PullCommands.Pull pull: Join(pull); break;
            case Terminated gone: _watchers.Remove(gone.ActorRef); break;
            case Prepared prepared: Begin(prepared.Image); break;
            case LayerActor.Moved moved: Follow(moved); break;
            case LayerActor.Broke broke: Fail(broke.Error); break;
            case Broke broke: Fail(broke.Error); break;
            case Finished: Complete(); break;
            case Report: Tell(); break;
            default: Unhandled(message); break;
        }
    }

    protected override void PostStop()
    {
        _cancellation.Cancel();
        _cancellation.Dispose();
        _steps?.Dispose();
    }

    private void Join(PullCommands.Pull pull)
    {
        _watchers.Add(Sender);
        Context.Watch(Sender);
        if (_pull is not null)
        {
            Sender.Tell(_progress);
            return;
        }

        _pull = pull;
        _progress = _progress with { Reference = pull.Reference };
        string platform = pull.Platform is null ? "" : Platforms.Text(pull.Platform);
        Record(
            [new PullEvents.Requested(pull.Reference, pull.Snapshotter, platform)],
            pull.By,
            Start,
            error => Conclude(_progress with { Stage = PullStage.Failed, Error = error }));
    }

    private void Start()
    {
        try
        {
            ImageReference reference = ImageReference.Parse(_pull!.Reference);
            _steps = new PullSteps(_tree, _sources(reference, _pull.Source), _pull, reference, _settings, Time);
        }
        catch (FormatException malformed)
        {
            Fail(Error.Invalid(malformed.Message));
            return;
        }

        Changed();
        _steps.PrepareAsync(_cancellation.Token).PipeTo(Self, success: image => new Prepared(image), failure: cause => new Broke(ErrorOf(cause)));
    }

    private void Begin(PreparedImage image)
    {
        _image = image;
        Record(_pull!.By, new PullEvents.Resolved(new Descriptor(image.Target.MediaType, image.Target.Digest, image.Target.Size)));
        for (int i = 0; i < image.Layers.Length; i++)
        {
            // The same layer may occur twice, so its position is part of the name.
            _layers.Add(Context.ActorOf(
                LayerActor.Props(_steps!, image.Layers[i], image.DiffIds[i], i, _cancellation.Token), $"{i}-{image.Layers[i].Digest}"));
        }

        _progress = _progress with
        {
            Stage = PullStage.Fetching,
            Layers = [.. image.Layers.Select(layer => new LayerProgress(layer, 0, LayerStage.Waiting))],
        };
        FetchMore();
        Advance();
        Changed();
    }

    private void Follow(LayerActor.Moved moved)
    {
        LayerProgress layer = _progress.Layers[moved.Position] with { Offset = moved.Offset, Stage = moved.Stage };
        _progress = _progress with { Layers = _progress.Layers.SetItem(moved.Position, layer) };
        if (moved.Stage == LayerStage.Stored)
        {
            FetchMore();
            Advance();
        }
        else if (moved.Stage == LayerStage.Done)
        {
            _unpacked++;
            Record(_pull!.By, new PullEvents.LayerUnpacked(layer.Layer.Digest, _image!.ChainIds[moved.Position]));
            Advance();
        }

        Changed();
    }

    private void FetchMore()
    {
        int busy = _progress.Layers.Count(layer => layer.Stage == LayerStage.Fetching);
        for (int i = 0; i < _layers.Count && busy < _settings.LayersMax; i++)
        {
            if (_progress.Layers[i].Stage == LayerStage.Waiting)
            {
                Mark(i, LayerStage.Fetching);
                _layers[i].Tell(new LayerActor.Fetch());
                busy++;
            }
        }

        if (_progress.Stage == PullStage.Fetching && _progress.Layers.All(layer => layer.Stage >= LayerStage.Stored))
        {
            _progress = _progress with { Stage = PullStage.Unpacking };
        }
    }

    private void Mark(int position, LayerStage stage) =>
        _progress = _progress with { Layers = _progress.Layers.SetItem(position, _progress.Layers[position] with { Stage = stage }) };

    // Unpacks the next layer when it and its parent are there; ends the pull after the last.
    private void Advance()
    {
        if (_unpacked == _layers.Count)
        {
            _steps!.FinishAsync(_image!, _cancellation.Token).PipeTo(Self, success: () => new Finished(), failure: cause => new Broke(ErrorOf(cause)));
        }
        else if (_progress.Layers[_unpacked].Stage == LayerStage.Stored)
        {
            // Marked at once: another layer may be stored before this one says that it unpacks.
            Mark(_unpacked, LayerStage.Unpacking);
            string parent = _unpacked == 0 ? "" : _image!.ChainIds[_unpacked - 1];
            _layers[_unpacked].Tell(new LayerActor.Unpack(parent, _image!.ChainIds[_unpacked]));
        }
    }

    private void Complete()
    {
        _ = _steps!.ReleaseAsync();
        PullProgress last = _progress with { Stage = PullStage.Completed, Target = _image!.Target.Digest };
        Record([new PullEvents.Completed(_image.Target.Digest)], _pull!.By, () => Conclude(last), error => Conclude(last with { Stage = PullStage.Failed, Error = error }));
    }

    private void Fail(Error error)
    {
        if (_progress.IsFinal)
        {
            return;
        }

        _progress = _progress with { Stage = PullStage.Failed, Error = error };
        _cancellation.Cancel();
        if (_steps is not null)
        {
            _ = _steps.ReleaseAsync();
        }

        Record([new PullEvents.Failed(error)], _pull!.By, () => Conclude(_progress), _ => Conclude(_progress));
    }

    private void Conclude(PullProgress last)
    {
        _progress = last;
        Tell();
        Context.Parent.Tell(new PullsSupervisor.Ended(_operation));
        Context.Stop(Self);
    }

    private void Changed()
    {
        if (!Timers.IsTimerActive(nameof(Report)))
        {
            Timers.StartSingleTimer(nameof(Report), new Report(), _settings.ProgressInterval);
        }
    }

    private void Tell()
    {
        foreach (IActorRef watcher in _watchers)
        {
            watcher.Tell(_progress);
        }
    }
}
