// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Architecture.Tests.Compatibility;

/// <summary>What is served in another way than by containerd 2.3. Everything that is not here is meant to be the same.</summary>
internal static class Differences
{
    /// <summary>By RPC; a difference of the whole service stands under its name alone.</summary>
    public static readonly Dictionary<string, string> Known = new()
    {
        ["containerd.services.diff.v1.Diff/Apply"] = "plain, gzip and zstd; no stream processors",
        ["containerd.services.events.v1.Events/Subscribe"] =
            "a subscriber that falls behind `containerd.events.subscriber-queue-max` events is let go with `ResourceExhausted` instead of filling the memory",
        ["containerd.services.introspection.v1.Introspection/PluginInfo"] = "tells nothing more of the runtime plugin than `Plugins`",
        ["containerd.services.introspection.v1.Introspection/Server"] = "names no deprecations",
        ["containerd.services.snapshots.v1.Snapshots"] = "overlayfs and native",
        ["containerd.services.streaming.v1.Streaming/Stream"] = "streams end with their connection, so leases keep none",
        ["containerd.services.tasks.v1.Tasks/Checkpoint"] = "to a path, not to content",
        ["containerd.services.tasks.v1.Tasks/Create"] = "shims over ttrpc; `task_api_address`, vsock and gRPC shims are refused; checkpoints come from a path",
        ["containerd.services.transfer.v1.Transfer/Transfer"] =
            "pull, push, import, export, tag and echo; other pairs answer `Unimplemented`; `http_debug` of a pull is refused; more image " +
            "verifiers than `verifiers-max` refuse a pull, where containerd passes the rest over; a push honours platforms: one is pushed as " +
            "the image that it is, where containerd pushes the whole index",
        ["containerd.actors.v1.Audit"] = "ours: the journal",
        ["containerd.actors.v1.Node"] = "ours: the live tree, pulls in the daemon, garbage collection and its reasons",
    };
}
