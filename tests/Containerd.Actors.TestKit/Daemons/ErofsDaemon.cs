// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.TestKit.Daemons;

/// <summary>This product's daemon on a machine that can make and mount EROFS images.</summary>
public class ErofsDaemon : ActorsDaemon
{
    /// <inheritdoc />
    public override string Missing => base.Missing.Length > 0 ? base.Missing
        : !File.Exists("/usr/bin/mkfs.erofs") ? "needs mkfs.erofs"
        : !File.ReadAllText("/proc/filesystems").Contains("\terofs", StringComparison.Ordinal) ? "the kernel does not know EROFS"
        : "";
}

/// <summary>One that tells of images instead of mounting them.</summary>
public sealed class LeavingErofsDaemon : ErofsDaemon
{
    /// <inheritdoc />
    public override string Configuration => "containerd.snapshots.erofs.leave-mounting = on";
}
