// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Core.Restarts;
using Containerd.Actors.Grpc.Introspection;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Shims.Runtimes;
using Containerd.Actors.Storage.Snapshots;

namespace Containerd.Actors.Daemon.Hosting;

/// <summary>The daemon in containerd's words: the plugins by which clients find out what it can do.</summary>
/// <remarks>What a plugin requires is what its part of this daemon is built on, by the types under which those are listed.</remarks>
internal static class Plugins
{
    private const string Content = "io.containerd.content.v1";
    private const string Differ = "io.containerd.differ.v1";
    private const string Event = "io.containerd.event.v1";
    private const string GarbageCollection = "io.containerd.gc.v1";
    private const string Grpc = "io.containerd.grpc.v1";
    private const string ImageVerifier = "io.containerd.image-verifier.v1";
    private const string Lease = "io.containerd.lease.v1";
    private const string Metadata = "io.containerd.metadata.v1";
    private const string MonitorContainer = "io.containerd.monitor.container.v1";
    private const string MountHandler = "io.containerd.mount-handler.v1";
    private const string MountManager = "io.containerd.mount-manager.v1";
    private const string PodSandbox = "io.containerd.podsandbox.controller.v1";
    private const string Runtime = "io.containerd.runtime.v2";
    private const string SandboxController = "io.containerd.sandbox.controller.v1";
    private const string SandboxStore = "io.containerd.sandbox.store.v1";
    private const string Service = "io.containerd.service.v1";
    private const string Shim = "io.containerd.shim.v1";
    private const string Snapshotter = "io.containerd.snapshotter.v1";
    private const string Streaming = "io.containerd.streaming.v1";
    private const string Transfer = "io.containerd.transfer.v1";
    private const string Warning = "io.containerd.warning.v1";

    private static readonly PluginFacts[] Services =
    [
        new(Service, "containers-service") { Requires = [Event, Metadata] },
        new(Service, "content-service") { Requires = [Metadata] },
        new(Service, "diff-service") { Requires = [Differ] },
        new(Service, "images-service") { Requires = [Event, GarbageCollection, Metadata, Warning] },
        new(Service, "introspection-service") { Requires = [Warning] },
        new(Service, "namespaces-service") { Requires = [Event, Metadata] },
        new(Service, "snapshots-service") { Requires = [Metadata] },
        new(Service, "tasks-service") { Requires = [Event, Metadata, Runtime] },
        new(Grpc, "containers") { Requires = [Service] },
        new(Grpc, "content") { Requires = [Service] },
        new(Grpc, "diff") { Requires = [Service] },
        new(Grpc, "events") { Requires = [Event] },
        new(Grpc, "healthcheck"),
        new(Grpc, "images") { Requires = [Service] },
        new(Grpc, "introspection") { Requires = [Service] },
        new(Grpc, "leases") { Requires = [GarbageCollection, Lease] },
        new(Grpc, "mounts") { Requires = [MountManager] },
        new(Grpc, "namespaces") { Requires = [Service] },
        new(Grpc, "sandbox-controllers") { Requires = [Event, PodSandbox, SandboxController] },
        new(Grpc, "sandboxes") { Requires = [SandboxStore] },
        new(Grpc, "snapshots") { Requires = [Service] },
        new(Grpc, "streaming") { Requires = [Streaming] },
        new(Grpc, "tasks") { Requires = [Service] },
        new(Grpc, "transfer") { Requires = [Streaming, Transfer] },
        new(Grpc, "version"),
    ];

    /// <summary>What is loaded, and why what is not loaded is not.</summary>
    public static ImmutableArray<PluginFacts> Of(
        string root,
        string state,
        OverlayBackend overlay,
        NativeBackend native,
        Error? noBtrfs,
        ErofsBackend erofs,
        Error? noErofs,
        RuntimeCatalogue runtimes,
        bool hasContent) =>
    [
        .. hasContent ? [new PluginFacts(Content, "content") { Exports = Export("root", Path.Combine(root, "io.containerd.content.v1.content")) }] : (PluginFacts[])[],
        new(ImageVerifier, "bindir"),
        new(Warning, "deprecations"),
        new(Snapshotter, "btrfs")
        {
            IsOfPlatform = true,
            Exports = Export("root", Path.Combine(root, "io.containerd.snapshotter.v1.btrfs")),
            InitError = noBtrfs is { } reason ? $"{reason.Message}: skip plugin" : "",
        },
        new(Snapshotter, native.Name) { IsOfPlatform = true, Capabilities = native.Capabilities, Exports = Export("root", native.Root) },
        new(Snapshotter, overlay.Name)
        {
            IsOfPlatform = true,
            Capabilities = overlay.Capabilities,
            Exports = Export("root", overlay.Root),
            InitError = overlay.Probe() is { } error ? $"{error.Text}: skip plugin" : "",
        },
        new(Snapshotter, erofs.Name)
        {
            IsOfPlatform = true,
            Capabilities = erofs.Capabilities,
            Exports = Export("root", erofs.Root),
            InitError = noErofs is null ? "" : $"{noErofs.Text}: skip plugin",
        },
        new(Event, "exchange"),
        new(Metadata, "bolt")
        {
            Requires = [Content, Event, Snapshotter],
            Exports = Export("policy", "shared").Add("path", Path.Combine(root, "journal")),
        },
        .. MountPlan.Handlers.Select(handler => new PluginFacts(MountHandler, handler) { IsOfPlatform = true }),
        new(MountManager, "bolt") { Requires = [Metadata, MountHandler] },
        new(GarbageCollection, "scheduler") { Requires = [Metadata] },
        new(Differ, "walking") { Requires = [Metadata], IsOfPlatform = true },
        new(Lease, "manager") { Requires = [Metadata] },
        new(Streaming, "manager"),
        new(Transfer, "local") { Requires = [Differ, ImageVerifier, Lease, Metadata] },
        new(Shim, "manager") { Requires = [Event, Metadata] },
        new(Runtime, "task")
        {
            Requires = [Event, Metadata, MountManager, Shim],
            IsOfPlatform = true,
            Exports = Export("log-uri-schemes", "fifo,binary,file").Add("state", state)
                .Add("handlers", string.Join(',', runtimes.Handlers.Select(handler => handler.Name)))
                .Add("shims", string.Join(',', runtimes.Replaced)),
        },
        new(SandboxStore, "local") { Requires = [Metadata] },
        new(SandboxController, "shim") { Requires = [Event, Shim] },
        new(PodSandbox, "podsandbox") { Requires = [Event, Lease, SandboxStore, Service] },
        new(MonitorContainer, "restart") { Requires = [Event, Service], Capabilities = RestartPolicy.Names },
        .. Services,
    ];

    private static ImmutableDictionary<string, string> Export(string name, string value) =>
        ImmutableDictionary<string, string>.Empty.Add(name, value);
}
