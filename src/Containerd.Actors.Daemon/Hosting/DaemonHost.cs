// SPDX-License-Identifier: Apache-2.0

using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Globalization;
using System.Reflection;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using Containerd.Actors.Core.Content;
using Containerd.Actors.Core.Executor;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Daemon.Configuration;
using Containerd.Actors.Daemon.Logging;
using Containerd.Actors.Daemon.Proxies;
using Containerd.Actors.Grpc.Calls;
using Containerd.Actors.Grpc.Events;
using Containerd.Actors.Grpc.Introspection;
using Containerd.Actors.Grpc.Snapshots;
using Containerd.Actors.Grpc.Streaming;
using Containerd.Actors.Linux.Executor;
using Containerd.Actors.Linux.Locks;
using Containerd.Actors.Linux.Systemd;
using Containerd.Actors.Persistence;
using Containerd.Actors.Persistence.Journals;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Runtimes;
using Containerd.Actors.Protocol.Trees;
using Containerd.Actors.Storage.Checkpoints;
using Containerd.Actors.Storage.Content;
using Containerd.Actors.Storage.Diff;
using Containerd.Actors.Storage.Diff.Tar;
using Containerd.Actors.Storage.Effects;
using Containerd.Actors.Storage.Mounts;
using Containerd.Actors.Storage.Snapshots;
using Containerd.Actors.Supervision;
using Containerd.Actors.Supervision.Content;
using Containerd.Actors.Supervision.Executor;
using Containerd.Actors.Supervision.GarbageCollection;
using Containerd.Actors.Supervision.Mounts;
using Containerd.Actors.Supervision.Namespaces;
using Containerd.Actors.Supervision.Namespaces.Containers;
using Containerd.Actors.Shims.Starting;
using Containerd.Actors.Supervision.Namespaces.Containers.Tasks.Shims;
using Containerd.Actors.Supervision.Namespaces.Pulls;
using Containerd.Actors.Supervision.Namespaces.Runs;
using Containerd.Actors.Supervision.Namespaces.Sandboxes;
using Containerd.Actors.Supervision.Namespaces.Sandboxes.Sandboxers;
using Containerd.Actors.Supervision.Namespaces.Transfers;
using Containerd.Actors.Supervision.Node;
using Containerd.Actors.Supervision.Restarts;
using Containerd.Actors.Supervision.Runtimes;
using Containerd.Actors.Supervision.Trees;

namespace Containerd.Actors.Daemon.Hosting;

/// <summary>The composition root: builds the tree on the real world, puts the faces in front of it, and runs until told to stop.</summary>
/// <remarks>
/// Order of the start: lock, disk, journal, tree, faces, readiness. Order of the stop: faces, tree, journal, lock. Containers are
/// touched by neither.
/// </remarks>
internal static class DaemonHost
{
    private static readonly TimeSpan PreparePause = TimeSpan.FromSeconds(1);

    /// <summary>Runs the daemon; returns its exit status.</summary>
    public static async Task<int> RunAsync(Config config, CancellationToken stopping)
    {
        DaemonSettings settings = DaemonSettings.From(config);
        Directories.Prepare(settings);
        using RootLock rootLock = RootLock.Acquire(Path.Combine(settings.Root, "daemon.lock"));
        using ILoggerFactory logs = Logs.Create(settings.LogLevel);
        HostLogger.Use(logs);
        using SpanLog? spans = SpanLog.Listen(logs, settings.LogSpans);

        SnapshotSettings snapshots = SnapshotSettings.From(config);
        PluginSettings plugins = PluginSettings.From(config);
        LayerCompressions.UsesHostLibraries = plugins.UsesHostLibraries;
        using ProxyPlugins proxies = new(plugins);
        OverlayBackend overlay = Overlay(settings, snapshots);
        NativeBackend native = NativeBackend.Open(Path.Combine(settings.Root, "io.containerd.snapshotter.v1.native"));
        BtrfsBackend? btrfs = BtrfsBackend.TryOpen(Path.Combine(settings.Root, "io.containerd.snapshotter.v1.btrfs"), out Error? noBtrfs);
        ErofsBackend erofs = Erofs(settings, snapshots);
        Error? noErofs = erofs.Probe();
        ImmutableArray<ISnapshotBackend> backends =
            [overlay, native, .. btrfs is null ? [] : (ISnapshotBackend[])[btrfs], .. noErofs is null ? (ISnapshotBackend[])[erofs] : []];
        ContentStore store = ContentStore.Open(Path.Combine(settings.Root, "io.containerd.content.v1.content"), blobs: proxies.Content);
        ContentEffectRunner content = new(store);
        ActivationDirectories activations = Activations(settings);
        string scratch = Path.Combine(settings.Root, "tmpmounts");
        ScratchDirectories.Clear(scratch);
        TaskMounts rootfs = new(settings.AskTimeout);

        EventFeed feed = new();
        LiveStreams streams = new();
        ActorSystem system = ActorSystem.Create("containerd", ActorSystemSetup.Create(
            BootstrapSetup.Create().WithConfig(JournalFiles(settings, config)), new JournalSetup([feed])));
        try
        {
            PullSettings pulls = PullSettings.From(config);
            RuntimeParts runtimes = RuntimeParts.Of(settings, RuntimesSettings.From(config), logs);
            using ShimLauncher launcher = runtimes.Launcher;
            JournalStore journal = JournalExtension.For(system).Store;
            IActorRef root = system.ActorOf(ContainerdSupervisor.Props(new TreeParts
            {
                Version = Version,
                Runner = new EffectRunners(
                    new LinuxEffectRunner(),
                    content,
                    new SnapshotEffectRunner(backends),
                    new MountEffectRunner(activations, scratch),
                    new DiffEffectRunner(
                        store, LayerLimits.Default, scratch, new StreamProcessors(plugins.Processors), activations)),
                Snapshotters = backends,
                ProxiedSnapshotters = proxies.Snapshotters(settings.AskTimeout),
                Differs = proxies.Differs,
                Shims = new MountingShims(
                    new RuntimeShims(
                        runtimes.Bundles, runtimes.Launcher, runtimes.Catalogue, new StoredCheckpoints(store).UnpackAsync, runtimes.Log, TimeProvider.System),
                    rootfs,
                    runtimes.Log),
                Checkpoints = CheckpointDirectories.Open(Path.Combine(settings.Root, "checkpoints")),
                Sandboxers =
                [
                    new MountingSandboxer(
                        new ShimSandboxer(runtimes.Bundles.OfSandboxes, runtimes.Launcher, runtimes.Catalogue, runtimes.Log, TimeProvider.System),
                        rootfs,
                        runtimes.Log),
                ],
                Sandboxes = SandboxesSettings.From(config),
                Restarts = RestartSettings.From(config),
                Runs = RunSettings.From(config),
                LiveEntities = journal.LiveEntities,
                Time = TimeProvider.System,
                Executor = ExecutorSettings.Read(config),
                Namespaces = NamespaceSettings.From(config),
                Content = ContentSettings.From(config),
                Containers = ContainersSettings.From(config),
                GarbageCollection = GarbageCollectionSettings.From(config),
                Sources = RegistrySource.With(pulls.Registry, TimeProvider.System),
                Pulls = pulls,
                Transfers = new TransferParts(content, streams, RegistrySink.With(pulls.Registry, TimeProvider.System), TransferSettings.From(config)),
            }), "containerd");
            feed.Connect(root);
            rootfs.Connect(root);

            Tree tree = new(root, settings.AskTimeout);
            NodeFacts facts = new(
                Version,
                "",
                Uuid.Of(settings.Root),
                Environment.ProcessId,
                PidNamespace(),
                [.. Plugins.Of(settings.Root, settings.State, overlay, native, noBtrfs, erofs, noErofs, runtimes.Catalogue, proxies.Content is null), .. proxies.Facts]);
            await using Faces faces = await Faces.StartAsync(settings, logs, services => services
                .AddSingleton(system)
                .AddSingleton(tree)
                .AddSingleton(facts)
                .AddSingleton(new EventsSettings(settings.SubscriberQueueMax))
                .AddSingleton(new SnapshotterNames(proxies.SnapshotterNames.Concat(backends.Select(backend => backend.Name)).ToFrozenSet())
                {
                    UpperDirectory = record => snapshots.UpperDirectoryLabel && record.Snapshotter == overlay.Name && record.Kind == SnapshotKind.Active
                        ? overlay.UpperDirectory(record.Backend)
                        : null,
                })
                .AddSingleton<IContentReader>(content)
                .AddSingleton(streams)
                .AddSingleton<ILiveTree>(new LiveTree(root))
                .AddSingleton<IRuntimes>(runtimes.Catalogue)
                .AddSingleton<Core.Audit.IJournalReader>(journal), tree);
            Task watching = SpareMemory.WatchAsync(TimeProvider.System, stopping);
            _ = PrepareAsync(faces, runtimes, stopping);
            await ServeAsync(settings, logs.CreateLogger("containerd"), stopping);
            await watching;
            await faces.StopAsync(settings.ShutdownTimeout);
            await tree.AskAsync(new NodeActor.Stop(), CancellationToken.None);
            return 0;
        }
        finally
        {
            // A lane that hangs in the kernel would hold up the end for ever; the kernel ends it with the process.
            await Task.WhenAny(system.Terminate(), Task.Delay(settings.ShutdownTimeout, CancellationToken.None));
        }
    }

    private static string Version { get; } =
        "v" + (typeof(DaemonHost).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0.0.0");

    // What can wait until those have been answered who waited for the daemon. Who calls before it is done waits for the part that he needs,
    // and hears how that went.
    private static async Task PrepareAsync(Faces faces, RuntimeParts runtimes, CancellationToken stopping)
    {
        await Task.Delay(PreparePause, stopping);
        faces.Bind();
        await runtimes.Chosen.Value;
    }

    private static async Task ServeAsync(DaemonSettings settings, ILogger log, CancellationToken stopping)
    {
        log.LogInformation("containerd-actors {Version} serves {Address}", Version, settings.Address);
        Notify.Send(Notify.Ready);
        try
        {
            // systemd(1): WatchdogSec is to be met twice per interval.
            TimeSpan interval = Notify.WatchdogInterval() is { } watchdog ? watchdog / 2 : Timeout.InfiniteTimeSpan;
            while (true)
            {
                await Task.Delay(interval, stopping);
                Notify.Send(Notify.Watchdog);
            }
        }
        catch (OperationCanceledException)
        {
            log.LogInformation("stopping; containers run on");
            Notify.Send(Notify.Stopping);
        }
    }

    private static Config JournalFiles(DaemonSettings settings, Config config)
    {
        string directory = Path.Combine(settings.Root, "journal");
        Directory.CreateDirectory(directory, Directories.Private);
        return PersistenceConfig.In(directory, config);
    }

    private static ErofsBackend Erofs(DaemonSettings settings, SnapshotSettings snapshots) => ErofsBackend.Open(
        Path.Combine(settings.Root, "io.containerd.snapshotter.v1.erofs"), new LinuxEffectRunner(), snapshots.Erofs);

    private static ActivationDirectories Activations(DaemonSettings settings)
    {
        string state = Path.Combine(settings.State, "io.containerd.mount-manager.v1.bolt");
        Directory.CreateDirectory(state, Directories.Private);
        return ActivationDirectories.Open(state, settings.Root, new LinuxEffectRunner(), TimeProvider.System);
    }

    private static OverlayBackend Overlay(DaemonSettings settings, SnapshotSettings snapshots)
    {
        string root = Path.Combine(settings.Root, "io.containerd.snapshotter.v1.overlayfs");
        Directory.CreateDirectory(root);
        return OverlayBackend.Open(root, snapshots.Overlay with { RemapIds = OverlayProbe.RemapsIds(root) });
    }

    // pid_namespaces(7): the link reads pid:[INODE].
    private static ulong PidNamespace()
    {
        string link = new FileInfo("/proc/self/ns/pid").LinkTarget ?? "";
        return ulong.TryParse(link.AsSpan().TrimStart("pid:[").TrimEnd(']'), CultureInfo.InvariantCulture, out ulong inode) ? inode : 0;
    }
}
