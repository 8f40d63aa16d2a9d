// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using System.Globalization;
using Akka.Actor;
using Containerd.Actors.Core.Executor;
using Containerd.Actors.Core.GarbageCollection;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Content;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Storage.Content;
using Containerd.Actors.Storage.Effects;
using Containerd.Actors.Supervision.Executor;

namespace Containerd.Actors.Supervision.Content;

/// <summary>Owns the blobs on disk and the uploads that are open. Which namespace sees which blob is the namespaces' business.</summary>
/// <remarks>
/// A sweep goes by a list of what namespaces see that may be older than the latest commits. So whoever commits or adopts a blob pins
/// it first: no sweep is under way when the pin is granted, and later ones pass the blob over until a mark that began after the
/// namespace answered has seen its record.
/// </remarks>
public sealed class ContentActor : UntypedActor
{
    private readonly IActorRef _executor;
    private readonly IActorRef _namespaces;
    private readonly ContentSettings _settings;
    private readonly TimeProvider _time;
    private readonly Dictionary<(string Namespace, string Reference), (IActorRef Actor, DateTimeOffset Since, List<IActorRef> Closing)> _open = [];
    private readonly Dictionary<Digest, (int Users, long Generation)> _pins = [];
    private readonly List<IActorRef> _pinning = [];
    private long _generation;
    private bool _sweeping;

    public ContentActor(IActorRef executor, IActorRef namespaces, ContentSettings settings, TimeProvider time) =>
        (_executor, _namespaces, _settings, _time) = (executor, namespaces, settings, time);

    /// <summary>The actor <c>/user/containerd/content</c>.</summary>
    public static Props Props(IActorRef executor, IActorRef namespaces, ContentSettings settings, TimeProvider time) =>
        Akka.Actor.Props.Create(() => new ContentActor(executor, namespaces, settings, time));

    /// <inheritdoc />
    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case IngestCommands.Open open: Open(open); break;
            case IngestCommands.Abort abort: Abort(abort); break;
            case IngestCommands.Close close: Close(close.Namespace, close.Reference, close.Abort); break;
            case IngestCommands.List list: Run(new ContentEffects.ListIngests(), list.Namespace); break;
            case DocumentQueries.Read read: Read(read); break;
            case Pin pin: OnPin(pin); break;
            case SweepEnded: OnSweepEnded(); break;
            case SweepCommands.BeginContent: Begin(); break;
            case SweepCommands.ListIngests: ListIngests(); break;
            case SweepCommands.SweepContent sweep: Sweep(sweep); break;
            case IForIngest forIngest: Route(forIngest); break;
            case Terminated gone: Forget(gone.ActorRef); break;
            default: Unhandled(message); break;
        }
    }

    /// <summary>A blob is about to be shown to a namespace, or the namespace has answered.</summary>
    internal sealed record Pin(Digest Digest, bool Held);

    /// <summary>From now on no sweep takes the blob.</summary>
    internal sealed record Pinned
    {
        public static Pinned Value { get; } = new();
    }

    private sealed record SweepEnded
    {
        public static SweepEnded Value { get; } = new();
    }

    private void OnPin(Pin pin)
    {
        int users = _pins.GetValueOrDefault(pin.Digest).Users + (pin.Held ? 1 : -1);
        _pins[pin.Digest] = (users, _generation);
        if (pin.Held && _sweeping)
        {
            _pinning.Add(Sender);
        }
        else if (pin.Held)
        {
            Sender.Tell(Pinned.Value);
        }
    }

    private void OnSweepEnded()
    {
        _sweeping = false;
        foreach (IActorRef pinning in _pinning)
        {
            pinning.Tell(Pinned.Value);
        }

        _pinning.Clear();
    }

    private void Begin()
    {
        _generation++;
        long generation = _generation;
        ListIngests(ingests => new ContentGeneration(generation, ingests));
    }

    private void ListIngests() => ListIngests(static ingests => ingests);

    private void ListIngests<T>(Func<ImmutableArray<OpenIngest>, T> answer)
    {
        IActorRef replyTo = Sender;
        Context.ActorOf(OneEffect.Props(_executor, new ContentEffects.ListIngests(), outcome => replyTo.Tell(
            outcome is Outcome.Done { Value: List<IngestStatus> ingests }
                ? Reply.Done(answer([.. ingests.Select(Open)]))
                : Reply.Refused<T>(outcome.Refusal!))));

        static OpenIngest Open(IngestStatus ingest) =>
            new(ingest.Namespace, ingest.Reference, ingest.ExpiresAt, ingest.Expected.IsEmpty ? null : ingest.Expected);
    }

    private void Sweep(SweepCommands.SweepContent sweep)
    {
        if (sweep.Generation != _generation || _sweeping)
        {
            Sender.Tell(Reply.Done(new Swept(0, 0)));
            return;
        }

        // A blob that was shown to a namespace before the mark began is among what is kept, or is garbage.
        foreach (Digest settled in _pins.Where(pin => pin.Value.Users == 0 && pin.Value.Generation < _generation).Select(pin => pin.Key).ToList())
        {
            _pins.Remove(settled);
        }

        ImmutableArray<(string, string)> ingests = [.. sweep.Ingests.Where(ingest => !_open.ContainsKey(ingest))];
        HashSet<Digest> keep = [.. sweep.Keep, .. _pins.Keys];
        IActorRef replyTo = Sender;
        IActorRef self = Self;
        _sweeping = true;
        Context.ActorOf(OneEffect.Props(_executor, new ContentEffects.Sweep(keep, ingests, sweep.IsDry), outcome =>
        {
            self.Tell(SweepEnded.Value);
            replyTo.Tell(outcome is Outcome.Done { Value: Swept swept } ? Reply.Done(swept) : Reply.Refused<Swept>(outcome.Refusal!));
        }));
    }

    private void Open(IngestCommands.Open open)
    {
        var key = (open.Namespace, open.Reference);
        if (open.Reference.Length == 0)
        {
            Sender.Tell(Reply.Refused<IngestState>(Error.Invalid("ref must not be empty")));
        }
        else if (_open.TryGetValue(key, out var held))
        {
            string seconds = (_time.GetUtcNow() - held.Since).TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture);
            Sender.Tell(Reply.Refused<IngestState>(
                Error.Unavailable($"ref {open.Namespace}/1/{open.Reference} locked for {seconds}s (since {held.Since.UtcDateTime:yyyy-MM-dd HH:mm:ss.fffffff} +0000 UTC)")));
        }
        else
        {
            IActorRef ingest = Context.ActorOf(
                IngestActor.Props(open, Sender, Self, _executor, _namespaces, _settings.IsShared),
                $"{open.Namespace}:{Uri.EscapeDataString(open.Reference)}");
            Context.Watch(ingest);
            _open[key] = (ingest, _time.GetUtcNow(), []);
        }
    }

    // The answer comes when the upload's actor is gone, however it went: only then is its lock.
    private bool Close(string ns, string reference, bool abort)
    {
        bool isAwaited = !Sender.Equals(Context.System.DeadLetters);
        bool isOpen = _open.TryGetValue((ns, reference), out var open);
        if (isOpen)
        {
            open.Actor.Tell(new IngestActor.End(abort));
        }

        if (isOpen && isAwaited)
        {
            open.Closing.Add(Sender);
        }
        else if (isAwaited)
        {
            Sender.Tell(Reply.Done());
        }

        return isOpen;
    }

    private void Abort(IngestCommands.Abort abort)
    {
        IActorRef replyTo = Sender;
        bool isOpen = _open.ContainsKey((abort.Namespace, abort.Reference)) && Close(abort.Namespace, abort.Reference, abort: true);
        if (abort.By.Lease.Length > 0)
        {
            _namespaces.Tell(new Core.Content.ContentCommands.DetachIngest(abort.Namespace, abort.Reference, abort.By), ActorRefs.NoSender);
        }

        if (isOpen)
        {
            return;
        }

        Context.ActorOf(OneEffect.Props(_executor, new ContentEffects.Abort(abort.Namespace, abort.Reference), outcome =>
            replyTo.Tell(outcome.Refusal is { } error ? Reply.Refused<Nothing>(error) : Reply.Done())));
    }

    // What an open upload knows of itself is newer than what lies on disk, so its own offset is asked for by its owner only.
    private void Run(ContentEffects.ListIngests effect, string ns)
    {
        IActorRef replyTo = Sender;
        Context.ActorOf(OneEffect.Props(_executor, effect, outcome => replyTo.Tell(outcome is Outcome.Done { Value: List<IngestStatus> found }
            ? Reply.Done(found.Where(ingest => ingest.Namespace == ns).Select(ToState).ToImmutableArray())
            : Reply.Refused<ImmutableArray<IngestState>>(outcome.Refusal!))));
    }

    private void Read(DocumentQueries.Read read)
    {
        IActorRef replyTo = Sender;
        Context.ActorOf(OneEffect.Props(_executor, new ContentEffects.ReadDocument(read.Digest, read.BytesMax), outcome => replyTo.Tell(
            outcome is Outcome.Done { Value: byte[] bytes }
                ? Reply.Done<ReadOnlyMemory<byte>>(bytes)
                : Reply.Refused<ReadOnlyMemory<byte>>(outcome.Refusal!))));
    }

    private void Route(IForIngest message)
    {
        if (_open.TryGetValue((message.Namespace, message.Reference), out var open))
        {
            open.Actor.Forward(message);
        }
        else if (message is IngestCommands.GetState or IngestCommands.Write)
        {
            Sender.Tell(Reply.Refused<IngestState>(Error.NotFound($"reference {message.Reference}")));
        }
        else if (message is IngestCommands.Commit)
        {
            Sender.Tell(Reply.Refused<CommittedContent>(Error.NotFound($"reference {message.Reference}")));
        }
    }

    private void Forget(IActorRef gone)
    {
        foreach (var (key, open) in _open)
        {
            if (open.Actor.Equals(gone))
            {
                _open.Remove(key);
                open.Closing.ForEach(closing => closing.Tell(Reply.Done()));
                return;
            }
        }
    }

    private static IngestState ToState(IngestStatus status) =>
        new(status.Reference, status.Offset, status.Total, default, status.StartedAt, status.UpdatedAt);
}
