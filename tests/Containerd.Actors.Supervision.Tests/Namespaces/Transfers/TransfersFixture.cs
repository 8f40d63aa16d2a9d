// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Collections.Immutable;
using Akka.Actor;
using Akka.Persistence;
using Akka.TestKit;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Core.Transfers;
using Containerd.Actors.Oci.Archives;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Oci.References;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Pulls;
using Containerd.Actors.Protocol.Transfers;
using Containerd.Actors.Protocol.Values;
using Containerd.Actors.Registry.Authentication;
using Containerd.Actors.Registry.Pushing;
using Containerd.Actors.Supervision.Namespaces.Transfers;
using Containerd.Actors.Supervision.Tests.Namespaces.Pulls;

namespace Containerd.Actors.Supervision.Tests.Namespaces.Transfers;

/// <summary>The transfers of a real namespace, with bytes in memory and a registry that is played.</summary>
public abstract class TransfersFixture : NamespacesFixture
{
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private protected static readonly Platform Amd = new("linux", "amd64");
    private protected static readonly Platform Arm = new("linux", "arm64");

    private protected MemoryContent Content { get; } = new();

    private protected ConcurrentQueue<string> Deeds { get; } = new();

    private protected Dictionary<Digest, Digest> DiffIds { get; } = [];

    private protected FakeStreams Streams { get; } = new();

    private protected FakeSink Sink { get; } = new();

    private protected IActorRef Records { get; private set; } = ActorRefs.Nobody;

    private protected IActorRef Transfers(params string[] left)
    {
        Records = Namespace();
        IActorRef tree = Sys.ActorOf(Props.Create(() => new MemoryTree(Records, Content, Deeds, DiffIds)));
        TransferParts parts = new(Content, Streams, Sink.At, new TransferSettings(2, 3, 100, 1 << 24));
        return Sys.ActorOf(TransfersSupervisor.Props(Ns, tree, parts, PullsFixture.Bounds(unpacksMax: 2), _ => left, TimeProvider.System));
    }

    /// <summary>Asks and waits for the end; the steps that were told come with it.</summary>
    private protected async Task<(Reply<Nothing> Reply, List<TransferStep> Steps)> RunAsync(IActorRef transfers, TransferCommands.Transfer transfer)
    {
        TestProbe asker = CreateTestProbe();
        transfers.Tell(transfer, asker);
        var steps = new List<TransferStep>();
        while (true)
        {
            switch (await asker.ReceiveOneAsync(Patience))
            {
                case TransferStep step: steps.Add(step); break;
                case Reply<Nothing> reply: return (reply, steps);
                case { } other: throw new InvalidOperationException($"{other}");
                case null: throw new TimeoutException($"no end; {string.Join(", ", steps)}");
            }
        }
    }

    /// <summary>The events of a transfer that are stored.</summary>
    private protected async Task<IReadOnlyList<DomainEvent>> JournalAsync(string operation)
    {
        TestProbe reader = CreateTestProbe();
        IActorRef stored = Sys.ActorOf(Props.Create(() => new StoredEvents(EntityIds.Transfer(Ns, operation), reader)));
        IReadOnlyList<DomainEvent> events = await reader.ExpectMsgAsync<List<DomainEvent>>(Patience);
        Sys.Stop(stored);
        return events;
    }

    private protected async Task<NamespaceState> StateAsync() => await Do(Records, State());

    private protected async Task<NamespaceState> ImportAsync(IActorRef transfers, byte[] archive, ImportWish? wish = null, bool compresses = false)
    {
        (Reply<Nothing> reply, _) = await RunAsync(transfers, Import(archive, wish, compresses));
        Assert.IsType<Done<Nothing>>(reply);
        return await StateAsync();
    }

    private protected async Task<string> RefusalAsync(IActorRef transfers, TransferCommands.Transfer transfer) =>
        Assert.IsType<Refused<Nothing>>((await RunAsync(transfers, transfer)).Reply).Error.Text;

    private protected TransferCommands.Import Import(byte[] archive, ImportWish? wish = null, bool compresses = false)
    {
        Streams.Incoming = archive;
        return new TransferCommands.Import(Ns, "import-1", "", compresses, wish ?? Wish(), By);
    }

    private protected static ImportWish Wish(
        string name = "", ImmutableArray<ImageNaming>? rules = null, ImmutableArray<Platform>? platforms = null, ImmutableArray<UnpackWish>? unpacks = null) =>
        new(name, rules ?? [new ImageNaming("import", true, true, false, false)], Labels.None.Add("l", "v"), platforms ?? [], 0, unpacks ?? []);

    private protected static Descriptor TargetOf(NamespaceState state, string name) => state.Images[name].Target;
}

/// <summary>Reads what the journal has of an entity, and tells it.</summary>
internal sealed class StoredEvents(string id, IActorRef to) : UntypedPersistentActor
{
    private readonly List<DomainEvent> _events = [];

    public override string PersistenceId => id;

    protected override void OnRecover(object message)
    {
        switch (message)
        {
            case Recorded recorded: _events.Add(recorded.Event); break;
            case RecoveryCompleted: to.Tell(_events); break;
            default: break;
        }
    }

    protected override void OnCommand(object message) => Unhandled(message);
}

/// <summary>The connections of archives: one in, one out.</summary>
internal sealed class FakeStreams : IByteStreams
{
    public byte[] Incoming { get; set; } = [];

    public MemoryStream Outgoing { get; set; } = new();

    /// <summary>Reads wait for this.</summary>
    public Task Gate { get; set; } = Task.CompletedTask;

    public Stream OpenRead(string ns, string id) => new GatedStream(Incoming, Gate);

    public Stream OpenWrite(string ns, string id) => Outgoing;

    private sealed class GatedStream(byte[] bytes, Task gate) : MemoryStream(bytes)
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await gate.WaitAsync(cancellationToken);
            return Read(buffer.Span);
        }
    }
}

/// <summary>A registry that takes everything, unless told not to.</summary>
internal sealed class FakeSink : IImageSink
{
    private ICredentialStore? _asked;

    public ConcurrentQueue<string> Pushed { get; } = new();

    public ConcurrentDictionary<Digest, string?> MountedFrom { get; } = new();

    /// <summary>What is there before.</summary>
    public HashSet<Digest> Present { get; } = [];

    public Error? Refusal { get; set; }

    /// <summary>Who the last push said that it was.</summary>
    public Credentials? Pusher { get; private set; }

    public IImageSink At(ImageReference reference, PullSource source, ICredentialStore? asked)
    {
        _asked = asked;
        return this;
    }

    public Task<PushOutcome> PushBlobAsync(
        Descriptor blob, string? mountFrom, Func<long, Stream> open, Action<long> progress, CancellationToken cancellationToken)
    {
        MountedFrom[blob.Digest] = mountFrom;
        using Stream bytes = open(0);
        using var all = new MemoryStream();
        bytes.CopyTo(all);
        Assert.Equal(blob.Digest, Digest.Of(all.ToArray()));
        progress(all.Length);
        return Take($"blob {blob.Digest}", blob.Digest);
    }

    public async Task<PushOutcome> PushManifestAsync(
        Descriptor manifest, ReadOnlyMemory<byte> bytes, bool isTarget, CancellationToken cancellationToken)
    {
        Assert.Equal(manifest.Digest, Digest.Of(bytes.Span));
        Pusher = _asked is null ? null : await _asked.FindAsync("r.test", cancellationToken);
        return await Take($"{(isTarget ? "tag" : "document")} {manifest.Digest}", manifest.Digest);
    }

    public void Dispose() => Pushed.Enqueue("closed");

    private Task<PushOutcome> Take(string what, Digest digest)
    {
        Pushed.Enqueue(what);
        return Refusal is { } refusal
            ? throw new RefusedException(refusal)
            : Task.FromResult(Present.Contains(digest) ? PushOutcome.Existed : PushOutcome.Uploaded);
    }
}
