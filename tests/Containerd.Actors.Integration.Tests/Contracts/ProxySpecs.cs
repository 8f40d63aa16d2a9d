// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Client.Connections;
using Containerd.Actors.TestKit.Contracts;
using Containerd.Actors.TestKit.Daemons;
using Containerd.Services.Diff.V1;
using Containerd.Services.Introspection.V1;
using Containerd.Services.Snapshots.V1;
using Grpc.Core;

namespace Containerd.Actors.Integration.Tests.Contracts;

public sealed class ProxySnapshotterSpecs(ProxyingDaemon daemon) : SnapshotterContract(daemon, "far"), IClassFixture<ProxyingDaemon>
{
    [SkippableFact]
    public async Task What_the_plugin_has_already_is_a_snapshot_of_the_namespace()
    {
        PrepareSnapshotRequest request = new() { Snapshotter = "far", Key = "extract-remote" };
        request.Labels["containerd.io/snapshot.ref"] = "chain";
        await RefusedAsync(StatusCode.AlreadyExists, "target snapshot \"chain\": already exists", () => Client.Snapshots.PrepareAsync(request).ResponseAsync);
        Info info = (await Client.Snapshots.StatAsync(new StatSnapshotRequest { Snapshotter = "far", Key = "chain" })).Info;
        Assert.Equal(Kind.Committed, info.Kind);
        PrepareSnapshotResponse child = await Client.Snapshots.PrepareAsync(new PrepareSnapshotRequest { Snapshotter = "far", Key = "child", Parent = "chain" });
        Assert.Empty(Directory.GetFileSystemEntries(Mounted(child.Mounts)));
        string[] held = [.. await daemon.HeldAsync(Client.Namespace)];
        Assert.Single(held, key => key.StartsWith("own-", StringComparison.Ordinal));

        await Client.Snapshots.RemoveAsync(new RemoveSnapshotRequest { Snapshotter = "far", Key = "child" });
        await Client.Snapshots.RemoveAsync(new RemoveSnapshotRequest { Snapshotter = "far", Key = "chain" });
        await CollectAsync();
        Assert.Empty(await daemon.HeldAsync(Client.Namespace));
    }

    [SkippableFact]
    public async Task What_a_plugin_keeps_outlives_the_daemon()
    {
        await Client.Snapshots.PrepareAsync(new PrepareSnapshotRequest { Snapshotter = "far", Key = "k" });
        await Client.Snapshots.CommitAsync(new CommitSnapshotRequest { Snapshotter = "far", Name = "n", Key = "k" });
        await daemon.KillAsync();
        await daemon.StartAsync();
        PrepareSnapshotResponse child = await Client.Snapshots.PrepareAsync(new PrepareSnapshotRequest { Snapshotter = "far", Key = "c", Parent = "n" });
        Assert.Empty(Directory.GetFileSystemEntries(Mounted(child.Mounts)));
    }

    [SkippableFact]
    public async Task A_plugin_that_hangs_is_given_up_by_name_and_holds_up_nobody()
    {
        Task[] hanging =
        [
            RefusedAsync(
                StatusCode.DeadlineExceeded,
                "proxy plugin \"impatient\" at .*p.sock: Prepare: has not answered within 1s.*",
                () => Client.Snapshots.PrepareAsync(new PrepareSnapshotRequest { Snapshotter = "impatient", Key = "1hang" }).ResponseAsync),
            RefusedAsync(
                StatusCode.DeadlineExceeded, null, () => Client.Snapshots.ViewAsync(new ViewSnapshotRequest { Snapshotter = "impatient", Key = "2hang" }).ResponseAsync),
        ];
        await Client.Snapshots.PrepareAsync(new PrepareSnapshotRequest { Snapshotter = "far", Key = "beside" });
        await Client.Snapshots.PrepareAsync(new PrepareSnapshotRequest { Snapshotter = "overlayfs", Key = "beside" });
        await Task.WhenAll(hanging);
        await Client.Snapshots.PrepareAsync(new PrepareSnapshotRequest { Snapshotter = "impatient", Key = "after" });
    }

    [SkippableFact]
    public async Task A_plugin_that_is_gone_is_named()
    {
        await RefusedAsync(
            StatusCode.Unavailable,
            "proxy plugin \"gone\" at .*gone.sock: Prepare: .*: unavailable",
            () => Client.Snapshots.PrepareAsync(new PrepareSnapshotRequest { Snapshotter = "gone", Key = "k" }).ResponseAsync);
        await RefusedAsync(
            StatusCode.NotFound, null, () => Client.Snapshots.StatAsync(new StatSnapshotRequest { Snapshotter = "gone", Key = "k" }).ResponseAsync);
        await CollectAsync();
    }

    [SkippableFact]
    public async Task Clients_are_told_of_plugins_as_configured()
    {
        PluginsResponse plugins = await Client.Introspection.PluginsAsync(new PluginsRequest { Filters = { "id==far", "id==one.type" } });
        Plugin far = Assert.Single(plugins.Plugins, plugin => plugin.Type == "io.containerd.snapshotter.v1");
        Assert.Equal(("/far", "rebase"), (far.Exports["root"], Assert.Single(far.Capabilities)));
        Plugin differ = Assert.Single(plugins.Plugins, plugin => plugin.Type == "io.containerd.differ.v1");
        Assert.Equal("riscv64", Assert.Single(differ.Platforms).Architecture);
    }
}

public sealed class ProxyDifferSpecs(ProxyingDaemon daemon) : DifferContract(daemon, "overlayfs"), IClassFixture<ProxyingDaemon>
{
    [SkippableFact]
    public async Task The_first_differ_that_serves_a_media_type_is_taken()
    {
        string digest = await StoreAsync([1, 2, 3]);
        ApplyRequest request = new() { Diff = new Types.Descriptor { Digest = digest, Size = 3, MediaType = PluginServer.MediaType } };
        Types.Descriptor applied = (await Client.Diff.ApplyAsync(request)).Applied;
        Assert.Equal((PluginServer.MediaType, digest), (applied.MediaType, applied.Digest));
    }

    [SkippableFact]
    public async Task A_layer_runs_through_the_programs_that_are_configured()
    {
        byte[] plain = Archive(("f", "text"));
        IList<Types.Mount> mounts = await PrepareAsync("k");
        Types.Descriptor applied = await ApplyAsync(Gzip(plain), "application/vnd.example.packed", mounts);
        Assert.Equal((DigestOf(plain), plain.Length), (applied.Digest, applied.Size));
        Assert.Equal("text", File.ReadAllText(Path.Combine(Mounted(mounts), "f")));
        await RefusedAsync(
            StatusCode.Unknown, "stream processor fail: exit status 3: no key", () => ApplyAsync(Gzip(Archive(("g", "text"))), "application/vnd.example.locked", mounts));
    }

    [SkippableFact]
    public async Task Upper_directories_are_told_in_a_label_where_wanted()
    {
        string source = (await PrepareAsync("k")).Single().Source;
        Info info = (await Client.Snapshots.StatAsync(new StatSnapshotRequest { Snapshotter = "overlayfs", Key = "k" })).Info;
        Assert.Equal(source, info.Labels["containerd.io/snapshot/overlay.upperdir"]);
    }
}
