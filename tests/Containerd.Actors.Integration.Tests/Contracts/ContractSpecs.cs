// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.TestKit.Contracts;
using Containerd.Actors.TestKit.Daemons;
using Containerd.Services.Introspection.V1;
using Containerd.Services.Snapshots.V1;

namespace Containerd.Actors.Integration.Tests.Contracts;

public sealed class OverlaySnapshotterSpecs(ActorsDaemon daemon) : SnapshotterContract(daemon, "overlayfs"), IClassFixture<ActorsDaemon>
{
    [SkippableFact]
    public async Task Files_of_parents_are_shown_under_mapped_ids()
    {
        Plugin overlay = Assert.Single((await Client.Introspection.PluginsAsync(new PluginsRequest { Filters = { "id==overlayfs" } })).Plugins);
        Assert.Contains("rebase", overlay.Capabilities);
        Skip.IfNot(overlay.Capabilities.Contains("remap-ids"), "the kernel does not remap lower directories");
        string below = Mounted((await Client.Snapshots.PrepareAsync(new PrepareSnapshotRequest { Snapshotter = "overlayfs", Key = "k" })).Mounts);
        File.WriteAllText(Path.Combine(below, "f"), "x");
        Unmount(below);
        await Client.Snapshots.CommitAsync(new CommitSnapshotRequest { Snapshotter = "overlayfs", Name = "n", Key = "k" });
        PrepareSnapshotRequest mapped = new() { Snapshotter = "overlayfs", Key = "mapped", Parent = "n" };
        mapped.Labels["containerd.io/snapshot/uidmapping"] = "0:100000:65536";
        mapped.Labels["containerd.io/snapshot/gidmapping"] = "0:200000:65536";
        string root = Mounted((await Client.Snapshots.PrepareAsync(mapped)).Mounts);
        Assert.Equal("100000:200000 100000:200000\n", (await Command.RunAsync("stat", "--printf", "%u:%g ", root)).Output + (await Command.RunAsync("stat", "--format", "%u:%g", Path.Combine(root, "f"))).Output);
    }
}

public sealed class NativeSnapshotterSpecs(ActorsDaemon daemon) : SnapshotterContract(daemon, "native"), IClassFixture<ActorsDaemon>
{
    protected override bool? TakesParentAtCommit => false;
}

public sealed class ErofsSnapshotterSpecs(ErofsDaemon daemon) : SnapshotterContract(daemon, "erofs"), IClassFixture<ErofsDaemon>
{
    protected override bool? TakesParentAtCommit => false;
}

public sealed class ContentStoreSpecs(ActorsDaemon daemon) : ContentStoreContract(daemon), IClassFixture<ActorsDaemon>;

public sealed class OverlayDifferSpecs(ActorsDaemon daemon) : DifferContract(daemon, "overlayfs"), IClassFixture<ActorsDaemon>;

public sealed class NativeDifferSpecs(ActorsDaemon daemon) : DifferContract(daemon, "native"), IClassFixture<ActorsDaemon>;

public sealed class ErofsDifferSpecs(ErofsDaemon daemon) : DifferContract(daemon, "erofs"), IClassFixture<ErofsDaemon>;

// Images are left to those who mount: clients and differs have the daemon mount them.
public sealed class ActivatingSnapshotterSpecs(LeavingErofsDaemon daemon) : SnapshotterContract(daemon, "erofs"), IClassFixture<LeavingErofsDaemon>
{
    protected override bool? TakesParentAtCommit => false;

    protected override IEnumerable<Types.Mount> Mountable(IEnumerable<Types.Mount> mounts) => Activated(mounts);
}

public sealed class ActivatingDifferSpecs(LeavingErofsDaemon daemon) : DifferContract(daemon, "erofs"), IClassFixture<LeavingErofsDaemon>
{
    protected override IEnumerable<Types.Mount> Mountable(IEnumerable<Types.Mount> mounts) => Activated(mounts);
}
