// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.TestKit.Contracts;
using Containerd.Actors.TestKit.Daemons;
using Containerd.Services.Introspection.V1;
using Containerd.Services.Snapshots.V1;
using Grpc.Core;

namespace Containerd.Actors.Integration.Tests.Contracts;

public sealed class BtrfsSnapshotterSpecs(BtrfsDaemon daemon) : SnapshotterContract(daemon, "btrfs"), IClassFixture<BtrfsDaemon>
{
    protected override bool? TakesParentAtCommit => false;

    protected override string DirectoryOf(Types.Mount mount) => Path.Combine(daemon.Root, mount.Options[0]["subvol=/".Length..]);

    [SkippableFact]
    public async Task Mounts_name_the_device_and_the_subvolume()
    {
        Types.Mount active = Assert.Single((await Client.Snapshots.PrepareAsync(new PrepareSnapshotRequest { Snapshotter = "btrfs", Key = "a" })).Mounts);
        Assert.Equal("btrfs", active.Type);
        Assert.StartsWith("/dev/loop", active.Source, StringComparison.Ordinal);
        Assert.Matches("^subvol=/io.containerd.snapshotter.v1.btrfs/snapshots/[0-9]+$", Assert.Single(active.Options));
        Types.Mount view = Assert.Single((await Client.Snapshots.ViewAsync(new ViewSnapshotRequest { Snapshotter = "btrfs", Key = "v" })).Mounts);
        Assert.Equal("ro", view.Options[1]);
    }

    [SkippableFact]
    public async Task A_bound_on_its_size_holds_a_snapshot_and_not_its_child()
    {
        byte[] eight = new byte[8 << 20];
        new Random(1).NextBytes(eight);
        PrepareSnapshotRequest request = new() { Snapshotter = "btrfs", Key = "bounded" };
        request.Labels["containerd.io/snapshot/max-size"] = $"{4 << 20}";
        string mounted = Mounted((await Client.Snapshots.PrepareAsync(request)).Mounts);
        IOException full = Assert.ThrowsAny<IOException>(() => File.WriteAllBytes(Path.Combine(mounted, "f"), eight));
        Assert.Contains("quota", full.Message, StringComparison.OrdinalIgnoreCase);
        Unmount(mounted);
        await Client.Snapshots.CommitAsync(new CommitSnapshotRequest { Snapshotter = "btrfs", Name = "n", Key = "bounded" });
        string child = Mounted((await Client.Snapshots.PrepareAsync(new PrepareSnapshotRequest { Snapshotter = "btrfs", Key = "c", Parent = "n" })).Mounts);
        File.WriteAllBytes(Path.Combine(child, "g"), eight);
    }

    [SkippableTheory]
    [InlineData("containerd.io/snapshot/max-size", "much", StatusCode.InvalidArgument)]
    [InlineData("containerd.io/snapshot/max-inodes", "5", StatusCode.Unimplemented)]
    public async Task A_bound_that_cannot_be_held_is_refused(string label, string value, StatusCode code)
    {
        PrepareSnapshotRequest request = new() { Snapshotter = "btrfs", Key = "k" };
        request.Labels[label] = value;
        await RefusedAsync(code, $"snapshot label {label}={value}: .*", () => Client.Snapshots.PrepareAsync(request).ResponseAsync);
        await RefusedAsync(StatusCode.NotFound, null, () => Client.Snapshots.StatAsync(new StatSnapshotRequest { Snapshotter = "btrfs", Key = "k" }).ResponseAsync);
    }

    [SkippableFact]
    public async Task Subvolumes_that_a_container_made_go_with_its_snapshot()
    {
        string mounted = Mounted((await Client.Snapshots.PrepareAsync(new PrepareSnapshotRequest { Snapshotter = "btrfs", Key = "k" })).Mounts);
        string deep = Directory.CreateDirectory(Path.Combine(mounted, "a", "b")).FullName;
        Assert.Equal(0, (await Command.RunAsync("btrfs", "subvolume", "create", Path.Combine(deep, "outer"))).Status);
        Assert.Equal(0, (await Command.RunAsync("btrfs", "subvolume", "create", Path.Combine(deep, "outer", "inner"))).Status);
        File.WriteAllText(Path.Combine(deep, "outer", "inner", "f"), "x");
        Assert.Equal(0, (await Command.RunAsync("btrfs", "property", "set", "-ts", Path.Combine(deep, "outer", "inner"), "ro", "true")).Status);
        Unmount(mounted);
        string[] before = Directory.GetDirectories(Path.Combine(daemon.Root, "io.containerd.snapshotter.v1.btrfs", "snapshots"));
        await Client.Snapshots.RemoveAsync(new RemoveSnapshotRequest { Snapshotter = "btrfs", Key = "k" });
        await CollectAsync();
        Assert.True(Directory.GetDirectories(Path.Combine(daemon.Root, "io.containerd.snapshotter.v1.btrfs", "snapshots")).Length < before.Length);
        Assert.DoesNotContain("outer", (await Command.RunAsync("btrfs", "subvolume", "list", daemon.Root)).Output, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_container_runs_on_it()
    {
        Skip.IfNot(daemon.Missing.Length == 0, daemon.Missing);
        string work = Directory.CreateDirectory(Path.Combine(daemon.Work, "image")).FullName;
        Ran made = await Command.RunAsync("sh", "-ec", $"""
            cd {work}; mkdir -p root/bin; cp /bin/busybox root/bin/
            umoci init --layout l; umoci new --image l:bb; umoci insert --image l:bb root /; tar -C l -cf bb.tar .
            """);
        Assert.True(made.Status == 0, made.All);
        Ran imported = await CtrAsync("image", "import", "--snapshotter", "btrfs", "--index-name", "example.com/bb:1", $"{work}/bb.tar");
        Assert.True(imported.Status == 0, imported.All);
        Ran ran = await CtrAsync("run", "--rm", "--snapshotter", "btrfs", "example.com/bb:1", "on-btrfs", "/bin/busybox", "sh", "-c", "/bin/busybox echo hello >/f; /bin/busybox cat /f; /bin/busybox grep ' / btrfs ' /proc/mounts");
        Assert.True(ran.Status == 0, ran.All);
        Assert.StartsWith("hello\n", ran.Output, StringComparison.Ordinal);
    }

    private Task<Ran> CtrAsync(params string[] arguments) => Command.RunAsync("ctr", ["--address", daemon.Address, "--namespace", "btrfs-run", .. arguments]);
}

public sealed class BtrfsDifferSpecs(BtrfsDaemon daemon) : DifferContract(daemon, "btrfs"), IClassFixture<BtrfsDaemon>;

public sealed class NoBtrfsSpecs(ActorsDaemon daemon) : Contract(daemon), IClassFixture<ActorsDaemon>
{
    [SkippableFact]
    public async Task Without_a_btrfs_the_plugin_says_why_it_is_not_there()
    {
        Plugin btrfs = Assert.Single((await Client.Introspection.PluginsAsync(new PluginsRequest { Filters = { "id==btrfs" } })).Plugins);
        string root = System.Text.RegularExpressions.Regex.Escape(Path.Combine(daemon.Root, "io.containerd.snapshotter.v1.btrfs"));
        Assert.Matches($"^path {root} \\(.+\\) must be a btrfs filesystem to be used with the btrfs snapshotter: skip plugin$", btrfs.InitErr.Message);
        await RefusedAsync(
            StatusCode.InvalidArgument,
            "snapshotter not loaded: btrfs: invalid argument",
            () => Client.Snapshots.PrepareAsync(new PrepareSnapshotRequest { Snapshotter = "btrfs", Key = "k" }).ResponseAsync);
    }
}
