// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Architecture.Tests.Compatibility;

/// <summary>What is served in another way than by containerd 2.3. Everything that is not here is meant to be the same.</summary>
internal static class Differences
{
    /// <summary>By RPC; a difference of the whole service stands under its name alone.</summary>
    public static readonly Dictionary<string, string> Known = new()
    {
        ["containerd.services.events.v1.Events/Subscribe"] =
            "a subscriber that falls behind `containerd.events.subscriber-queue-max` events is let go with `ResourceExhausted` instead of filling the memory",
        ["containerd.services.introspection.v1.Introspection/Server"] = "names no deprecations",
        ["containerd.services.sandbox.v1.Controller"] =
            "`shim` for shims with the sandbox API over ttrpc, `podsandbox` for a container that pauses; the end of a sandbox is published once, " +
            "whether or not anybody waits",
        ["containerd.services.snapshots.v1.Snapshots"] =
            "overlayfs, native, btrfs, erofs and proxy plugins, others only as plugins; btrfs names subvolumes in mounts by path, not by number; " +
            "erofs tells of plain overlays unless `containerd.snapshots.erofs.leave-mounting` is on, and has neither dm-verity nor writable images; " +
            "`containerd.io/snapshot/max-size` is a quota group where btrfs has quotas enabled, and any other bound on a snapshot is refused: " +
            "project quotas of ext4 and xfs are not set",
        ["containerd.services.mounts.v1.Mounts/Activate"] =
            "handlers `erofs` and `loop`; of Go's templates `source`, `target`, `mount` and `overlay` with numbers; an activation without system " +
            "mounts gets a bind mount, temporary or not; dm-verity is refused; mounts that a reboot took are not told of any more",
        ["containerd.services.mounts.v1.Mounts/Update"] = "answers `not implemented`, as containerd does",
        ["containerd.services.streaming.v1.Streaming/Stream"] = "streams end with their connection, so leases keep none",
        ["containerd.services.tasks.v1.Tasks/Create"] = "shims that listen on vsock are refused",
        ["containerd.services.transfer.v1.Transfer/Transfer"] =
            "pull, push, import, export, tag and echo; other pairs answer `Unimplemented`; `http_debug` of a pull is refused; more image " +
            "verifiers than `verifiers-max` refuse a pull, where containerd passes the rest over; a push honours platforms: one is pushed as " +
            "the image that it is, where containerd pushes the whole index",
        ["containerd.actors.v1.Audit"] = "ours: the journal",
        ["containerd.actors.v1.Node"] = "ours: the live tree, pulls in the daemon, garbage collection and its reasons",
        ["containerd.actors.v1.Runs"] = "ours: a container made, run and removed by one request",
    };
}
