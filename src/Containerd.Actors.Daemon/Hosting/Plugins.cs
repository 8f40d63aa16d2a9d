// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Grpc.Introspection;
using Containerd.Actors.Storage.Snapshots;

namespace Containerd.Actors.Daemon.Hosting;

/// <summary>The daemon in containerd's words: the plugins by which clients find out what it can do.</summary>
internal static class Plugins
{
    private static readonly string[] Services =
        ["containers", "content", "diff", "events", "healthcheck", "images", "introspection", "leases", "namespaces", "snapshots", "streaming", "tasks", "transfer", "version"];

    /// <summary>What is loaded, and why what is not loaded is not.</summary>
    public static ImmutableArray<PluginFacts> Of(string root, string state, OverlayBackend overlay, NativeBackend native) =>
    [
        new("io.containerd.content.v1", "content") { Exports = Export("root", Path.Combine(root, "io.containerd.content.v1.content")) },
        new("io.containerd.differ.v1", "walking"),
        new("io.containerd.event.v1", "exchange"),
        new("io.containerd.gc.v1", "scheduler"),
        new("io.containerd.lease.v1", "manager"),
        new("io.containerd.metadata.v1", "bolt") { Exports = Export("policy", "shared").Add("path", Path.Combine(root, "journal")) },
        new("io.containerd.runtime.v2", "task")
        {
            Capabilities = ["linux/amd64"],
            Exports = Export("log-uri-schemes", "fifo,binary,file").Add("state", state),
        },
        new("io.containerd.shim.v1", "manager"),
        new("io.containerd.snapshotter.v1", native.Name) { Capabilities = native.Capabilities, Exports = Export("root", native.Root) },
        new("io.containerd.snapshotter.v1", overlay.Name)
        {
            Capabilities = overlay.Capabilities,
            Exports = Export("root", overlay.Root),
            InitError = overlay.Probe() is { } error ? $"{error.Text}: skip plugin" : "",
        },
        new("io.containerd.streaming.v1", "manager"),
        new("io.containerd.transfer.v1", "local"),
        .. Services.Select(service => new PluginFacts("io.containerd.grpc.v1", service)),
    ];

    private static ImmutableDictionary<string, string> Export(string name, string value) =>
        ImmutableDictionary<string, string>.Empty.Add(name, value);
}
