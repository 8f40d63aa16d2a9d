// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Collections.Immutable;
using Akka.Actor;
using Akka.Configuration;
using Akka.TestKit.Xunit2;
using Containerd.Actors.Core.Executor;
using Containerd.Actors.Core.GarbageCollection;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Linux.Executor;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Content;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Storage.Content;
using Containerd.Actors.Storage.Effects;
using Containerd.Actors.Storage.Mounts;
using Containerd.Actors.Storage.Snapshots;
using Containerd.Actors.Supervision.Content;
using Containerd.Actors.Supervision.Executor;
using Containerd.Actors.Supervision.GarbageCollection;
using Containerd.Actors.Supervision.Mounts;
using Containerd.Actors.Supervision.Namespaces;
using Containerd.Actors.Supervision.Snapshots;
using Containerd.Actors.Supervision.Tests.Executor;

namespace Containerd.Actors.Supervision.Tests.Content;

/// <summary>The part of the tree that stores things, on a real disk and a journal in memory. It can be ended and started again.</summary>
public abstract class StorageFixture : TestKit
{
    protected const string Ns = "default";
    protected const string Snapshotter = "native";
    protected static readonly Caller By = new(Principal.User(0, 0, 42, "/usr/bin/ctr"));
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly ConcurrentDictionary<string, bool> _namespaces = new();
    private readonly string _directory = Directory.CreateTempSubdirectory("storage-specs-").FullName;
    private int _starts;

    protected StorageFixture()
        : base(ConfigurationFactory.ParseString("""
            akka.loglevel = OFF
            akka.persistence.journal.plugin = "akka.persistence.journal.inmem"
            akka.persistence.snapshot-store.plugin = "akka.persistence.snapshot-store.inmem"
            """).WithFallback(ExecutorReference.Config))
    {
    }

    /// <summary>The blobs as they lie on disk.</summary>
    protected ContentStore Store { get; private set; } = null!;

    /// <summary>The directories as they lie on disk.</summary>
    protected NativeBackend Backend { get; private set; } = null!;

    /// <summary>Mount points as they lie on disk.</summary>
    protected ActivationDirectories Mounts { get; private set; } = null!;

    /// <summary>Takes every request of this part of the tree.</summary>
    protected IActorRef Tree { get; private set; } = null!;

    protected string ContentRoot => Path.Combine(_directory, "content");

    /// <summary>Opens what is on disk and starts the actors on it.</summary>
    /// <param name="isShared">Whether content may be taken over by its digest.</param>
    /// <param name="collects">Whether garbage is collected unasked.</param>
    /// <param name="wrap">What stands between the lanes and the disk.</param>
    protected void Start(bool isShared = true, bool collects = false, Func<IEffectRunner, IEffectRunner>? wrap = null)
    {
        Store = ContentStore.Open(ContentRoot);
        Mounts = ActivationDirectories.Open(
            Directory.CreateDirectory(Path.Combine(_directory, "mounts")).FullName, _directory, new LinuxEffectRunner(), TimeProvider.System);
        Backend = NativeBackend.Open(Path.Combine(_directory, Snapshotter));
        IEffectRunner runner = new EffectRunners(new ContentEffectRunner(Store), new SnapshotEffectRunner([Backend]), new MountEffectRunner(Mounts, _directory));
        runner = wrap?.Invoke(runner) ?? runner;
        GarbageCollectionSettings garbage = GarbageCollectionSettings.From(GarbageCollectionSettings.Default);
        if (!collects)
        {
            garbage = garbage with { StartupDelay = TimeSpan.FromDays(1), RunMin = TimeSpan.FromDays(1) };
        }

        ContentSettings content = new(isShared);
        Tree = Sys.ActorOf(Props.Create(() => new Root(runner, Backend, content, garbage, _namespaces)), $"root-{++_starts}");
    }

    /// <summary>Ends every actor of the tree wherever it stands; what lanes have begun they end, what waited is lost.</summary>
    protected async Task EndAsync() => await Tree.GracefulStop(Patience, Kill.Instance);

    protected async Task<Reply<T>> Ask<T>(IRequest<T> request, CancellationToken cancellationToken = default) =>
        await Tree.Ask<Reply<T>>(request, Patience, cancellationToken);

    protected async Task<T> Do<T>(IRequest<T> request, CancellationToken cancellationToken = default) =>
        (await Ask(request, cancellationToken)).Value;

    protected async Task<string> Refusal<T>(IRequest<T> request) => Assert.IsType<Refused<T>>(await Ask(request)).Error.Text;

    protected Task<NamespaceState> State(string ns = Ns) => Do(new NamespaceQueries.GetState(ns));

    protected override void AfterAll()
    {
        base.AfterAll();
        Directory.Delete(_directory, recursive: true);
    }

    private sealed class Root : UntypedActor
    {
        private readonly IActorRef _content;
        private readonly IActorRef _snapshots;
        private readonly IActorRef _mounts;
        private readonly IActorRef _garbage;
        private readonly IActorRef _namespaces;

        public Root(
            IEffectRunner runner,
            ISnapshotBackend backend,
            ContentSettings content,
            GarbageCollectionSettings garbage,
            ConcurrentDictionary<string, bool> known)
        {
            IActorRef executor = Context.ActorOf(SyscallExecutor.Props(ExecutorSettings.Read(ExecutorReference.Config), runner));
            NamespaceSettings settings = NamespaceSettings.From(NamespaceSettings.Default);
            _namespaces = Context.ActorOf(NamespacesSupervisor.Props(
                prefix => [.. known.Keys.Select(name => $"{prefix}{name}")],
                name =>
                {
                    known[name] = true;
                    return NamespaceActor.Props(name, settings, [], TimeProvider.System);
                },
                settings,
                TimeProvider.System));
            _content = Context.ActorOf(ContentActor.Props(executor, _namespaces, content, TimeProvider.System));
            _snapshots = Context.ActorOf(SnapshottersSupervisor.Props([backend], executor, _namespaces, [], TimeProvider.System));
            _mounts = Context.ActorOf(MountsActor.Props(executor, _namespaces, TimeProvider.System));
            _garbage = Context.ActorOf(GarbageCollector.Props(_namespaces, _content, _snapshots, _mounts, garbage, TimeProvider.System));
        }

        protected override void OnReceive(object message)
        {
            IActorRef owner = message switch
            {
                IForSnapshotter => _snapshots,
                IForMounts => _mounts,
                IForIngest or IngestCommands.List or ContentActor.Pin => _content,
                GarbageCommands.Run or GarbageCommands.Explain => _garbage,
                _ => _namespaces,
            };
            owner.Forward(message);
        }

        protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(_ => Directive.Restart);
    }
}
