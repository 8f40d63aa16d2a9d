// SPDX-License-Identifier: Apache-2.0

using Akka.Configuration;
using Containerd.Actors.Storage.Snapshots;

namespace Containerd.Actors.Daemon.Configuration;

/// <summary>The keys of <c>containerd.snapshots</c>; their meaning is in <c>hocon/reference/snapshots.conf</c>.</summary>
/// <param name="Overlay">Of the overlayfs snapshotter.</param>
/// <param name="Erofs">Of the EROFS snapshotter.</param>
/// <param name="UpperDirectoryLabel">Whether upper directories are told in a label.</param>
public sealed record SnapshotSettings(OverlaySettings Overlay, ErofsSettings Erofs, bool UpperDirectoryLabel)
{
    /// <summary>Reads the keys.</summary>
    public static SnapshotSettings From(Config config)
    {
        Config overlay = config.GetConfig("containerd.snapshots.overlayfs") ?? throw new ConfigurationException("containerd.snapshots.overlayfs is missing");
        Config erofs = config.GetConfig("containerd.snapshots.erofs") ?? throw new ConfigurationException("containerd.snapshots.erofs is missing");
        return new SnapshotSettings(
            new OverlaySettings { MountOptions = [.. overlay.GetStringList("mount-options")] },
            new ErofsSettings { MountOptions = [.. erofs.GetStringList("mount-options")], LeavesMounting = erofs.GetBoolean("leave-mounting") },
            overlay.GetBoolean("upperdir-label"));
    }
}
