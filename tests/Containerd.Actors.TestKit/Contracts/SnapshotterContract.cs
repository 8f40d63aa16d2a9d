// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Client.Connections;
using Containerd.Actors.TestKit.Daemons;
using Containerd.Services.Snapshots.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Containerd.Actors.TestKit.Contracts;

/// <summary>What every snapshotter does that is reached through containerd's API.</summary>
public abstract partial class SnapshotterContract(ServedDaemon daemon, string snapshotter) : Contract(daemon)
{
    /// <summary>False for snapshotters that refuse a parent at Commit; null for daemons that do not know it.</summary>
    protected virtual bool? TakesParentAtCommit => true;

    /// <summary>False for daemons that forget the lease when the target of an extraction exists.</summary>
    protected virtual bool LeasesTargets => true;

    /// <summary>False for daemons that do not serve Cleanup.</summary>
    protected virtual bool CleansUp => true;

    /// <summary>Where an active snapshot lies on disk.</summary>
    protected virtual string DirectoryOf(Types.Mount mount) => Directory.Exists(mount.Source)
        ? mount.Source
        : mount.Options.Single(option => option.StartsWith("upperdir=", StringComparison.Ordinal))["upperdir=".Length..];

    [SkippableFact]
    public async Task An_active_snapshot_can_be_written_to()
    {
        string mounted = Mounted(await PrepareAsync("a"));
        File.WriteAllText(Path.Combine(mounted, "f"), "one");
        Unmount(mounted);
        Assert.Equal("one", File.ReadAllText(Path.Combine(Mounted(await MountsAsync("a")), "f")));
    }

    [SkippableFact]
    public async Task A_child_sees_its_parents_and_changes_none_of_them()
    {
        await LayerAsync("l1", "", root =>
        {
            File.WriteAllText(Path.Combine(root, "kept"), "1");
            File.WriteAllText(Path.Combine(root, "changed"), "1");
            File.WriteAllText(Path.Combine(root, "removed"), "1");
            Directory.CreateDirectory(Path.Combine(root, "d"));
        });
        await LayerAsync("l2", "l1", root =>
        {
            Assert.Equal("1", File.ReadAllText(Path.Combine(root, "removed")));
            File.WriteAllText(Path.Combine(root, "changed"), "2");
            File.Delete(Path.Combine(root, "removed"));
            File.WriteAllText(Path.Combine(root, "d", "added"), "2");
        });
        string child = Mounted(await PrepareAsync("c", "l2"));
        Assert.Equal("1", File.ReadAllText(Path.Combine(child, "kept")));
        Assert.Equal("2", File.ReadAllText(Path.Combine(child, "changed")));
        Assert.Equal("2", File.ReadAllText(Path.Combine(child, "d", "added")));
        Assert.False(File.Exists(Path.Combine(child, "removed")));
        File.WriteAllText(Path.Combine(child, "kept"), "3");
        string below = Mounted(await ViewAsync("v", "l1"));
        Assert.Equal("1", File.ReadAllText(Path.Combine(below, "kept")));
        Assert.Equal("1", File.ReadAllText(Path.Combine(below, "changed")));
        Assert.True(File.Exists(Path.Combine(below, "removed")));
    }

    [SkippableFact]
    public async Task Modes_owners_links_and_attributes_come_through_a_commit()
    {
        await LayerAsync("l1", "", root =>
        {
            string file = Path.Combine(root, "f");
            File.WriteAllText(file, "x");
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.GroupExecute | UnixFileMode.SetUser);
            File.CreateSymbolicLink(Path.Combine(root, "link"), "f");
            File.SetLastWriteTimeUtc(file, DateTime.UnixEpoch.AddDays(1000));
        });
        string child = Mounted(await PrepareAsync("c", "l1"));
        string copy = Path.Combine(child, "f");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.GroupExecute | UnixFileMode.SetUser, File.GetUnixFileMode(copy));
        Assert.Equal("f", new FileInfo(Path.Combine(child, "link")).LinkTarget);
        Assert.Equal(DateTime.UnixEpoch.AddDays(1000), File.GetLastWriteTimeUtc(copy));
    }

    [SkippableTheory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_view_cannot_be_written_to(int layers)
    {
        string parent = "";
        for (int i = 1; i <= layers; i++)
        {
            int layer = i;
            await LayerAsync($"l{i}", parent, root => File.WriteAllText(Path.Combine(root, $"f{layer}"), "x"));
            parent = $"l{i}";
        }

        string view = Mounted(await ViewAsync("v", parent));
        Assert.Equal(layers, Directory.GetFiles(view).Length);
        Assert.ThrowsAny<IOException>(() => File.WriteAllText(Path.Combine(view, "new"), "x"));
    }

    [SkippableFact]
    public async Task A_view_of_nothing_is_empty_and_read_only()
    {
        string view = Mounted(await ViewAsync("v"));
        Assert.Empty(Directory.GetFileSystemEntries(view));
        Assert.ThrowsAny<IOException>(() => File.WriteAllText(Path.Combine(view, "new"), "x"));
    }

    [SkippableFact]
    public async Task A_view_is_never_committed()
    {
        await ViewAsync("v");
        await RefusedAsync(
            StatusCode.FailedPrecondition, "(.*: )?snapshot \".*v\" is not active: failed precondition", () => CommitAsync("n", "v"));
    }

    [SkippableFact]
    public async Task Mounts_are_told_again_for_active_snapshots_and_views_only()
    {
        IList<Types.Mount> prepared = await PrepareAsync("a");
        Assert.Equal(prepared, await MountsAsync("a"));
        await CommitAsync("n", "a");
        IList<Types.Mount> viewed = await ViewAsync("v", "n");
        Assert.Equal(viewed, await MountsAsync("v"));
        await RefusedAsync(StatusCode.FailedPrecondition, null, () => MountsAsync("n"));
        await RefusedAsync(StatusCode.NotFound, "snapshot a does not exist: not found", () => MountsAsync("a"));
    }

    [SkippableFact]
    public async Task Thirty_layers_are_mounted_at_once()
    {
        string parent = "";
        for (int i = 0; i < 30; i++)
        {
            int layer = i;
            await LayerAsync($"l{i}", parent, root => File.WriteAllText(Path.Combine(root, $"f{layer}"), "x"));
            parent = $"l{i}";
        }

        Assert.Equal(30, Directory.GetFiles(Mounted(await PrepareAsync("top", parent))).Length);
    }

    [SkippableFact]
    public async Task A_key_is_taken_until_it_is_removed()
    {
        await PrepareAsync("k");
        await RefusedAsync(StatusCode.AlreadyExists, "snapshot \"k\": already exists", () => PrepareAsync("k"));
        await RefusedAsync(StatusCode.AlreadyExists, "snapshot \"k\": already exists", () => ViewAsync("k"));
        await RemoveAsync("k");
        await PrepareAsync("k");
    }

    [SkippableFact]
    public async Task A_parent_must_exist_and_be_committed()
    {
        await PrepareAsync("active");
        await RefusedAsync(StatusCode.NotFound, "parent snapshot p does not exist: not found", () => PrepareAsync("k", "p"));
        await RefusedAsync(StatusCode.NotFound, "parent snapshot p does not exist: not found", () => ViewAsync("k", "p"));
        await RefusedAsync(StatusCode.InvalidArgument, null, () => PrepareAsync("k", "active"));
        await RefusedAsync(StatusCode.NotFound, "snapshot k does not exist: not found", () => StatAsync("k"));
    }

    [SkippableFact]
    public async Task A_target_that_is_there_already_is_told_when_preparing()
    {
        await LayerAsync("chain", "", _ => { });
        await RefusedAsync(
            StatusCode.AlreadyExists,
            "target snapshot \"chain\": already exists",
            () => PrepareAsync("extract", "", ("containerd.io/snapshot.ref", "chain")));
        await RefusedAsync(StatusCode.NotFound, null, () => StatAsync("extract"));
        await PrepareAsync("extract", "", ("containerd.io/snapshot.ref", "other"));
        Assert.Equal("other", (await StatAsync("extract")).Labels["containerd.io/snapshot.ref"]);
    }

    [SkippableFact]
    public async Task A_commit_takes_the_key_and_sets_labels_anew()
    {
        await PrepareAsync("k", "", ("of-the-key", "1"));
        await CommitAsync("n", "k", "", ("of-the-commit", "2"));
        await RefusedAsync(StatusCode.NotFound, "snapshot k does not exist: not found", () => StatAsync("k"));
        Info info = await StatAsync("n");
        Assert.Equal((Kind.Committed, ""), (info.Kind, info.Parent));
        Assert.Equal("2", Assert.Single(info.Labels, label => label.Key.StartsWith("of-", StringComparison.Ordinal)).Value);
    }

    [SkippableFact]
    public async Task A_commit_needs_an_active_snapshot_and_a_name_that_is_free()
    {
        await LayerAsync("n", "", _ => { });
        await PrepareAsync("k");
        await RefusedAsync(StatusCode.AlreadyExists, "snapshot \"n\": already exists", () => CommitAsync("n", "k"));
        await RefusedAsync(StatusCode.NotFound, "snapshot missing does not exist: not found", () => CommitAsync("m", "missing"));
        await RefusedAsync(StatusCode.FailedPrecondition, null, () => CommitAsync("m", "n"));
        Assert.Equal(Kind.Active, (await StatAsync("k")).Kind);
    }

    [SkippableFact]
    public async Task A_parent_may_be_given_when_committing()
    {
        Skip.If(TakesParentAtCommit is null, "the daemon knows no parent of Commit");
        await LayerAsync("below", "", root => File.WriteAllText(Path.Combine(root, "below"), "x"));
        string mounted = Mounted(await PrepareAsync("apart"));
        File.WriteAllText(Path.Combine(mounted, "above"), "x");
        Unmount(mounted);
        if (TakesParentAtCommit is false)
        {
            await RefusedAsync(StatusCode.Unimplemented, null, () => CommitAsync("n", "apart", "below"));
            return;
        }

        await RefusedAsync(StatusCode.NotFound, "parent snapshot missing does not exist: not found", () => CommitAsync("n", "apart", "missing"));
        await CommitAsync("n", "apart", "below");
        Assert.Equal("below", (await StatAsync("n")).Parent);
        string both = Mounted(await ViewAsync("v", "n"));
        Assert.Equal(["above", "below"], Directory.GetFiles(both).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        await RefusedAsync(StatusCode.FailedPrecondition, "cannot remove snapshot with child: failed precondition", () => RemoveAsync("below"));
    }

    [SkippableFact]
    public async Task Stat_tells_kind_parent_labels_and_times()
    {
        DateTime before = DateTime.UtcNow.AddSeconds(-1);
        await LayerAsync("n", "", _ => { });
        await PrepareAsync("k", "n", ("a", "1"));
        Info info = await StatAsync("k");
        Assert.Equal(("k", "n", Kind.Active), (info.Name, info.Parent, info.Kind));
        Assert.Equal("1", info.Labels["a"]);
        Assert.InRange(info.CreatedAt.ToDateTime(), before, DateTime.UtcNow.AddSeconds(1));
        Assert.Equal(info.CreatedAt, info.UpdatedAt);
        await ViewAsync("v", "n");
        Assert.Equal(Kind.View, (await StatAsync("v")).Kind);
    }

    [SkippableFact]
    public async Task Usage_is_of_the_layer_alone_and_frozen_by_the_commit()
    {
        await LayerAsync("big", "", root => File.WriteAllBytes(Path.Combine(root, "f"), new byte[1 << 20]));
        string mounted = Mounted(await PrepareAsync("small", "big"));
        UsageResponse before = await UsageAsync("small");
        File.WriteAllBytes(Path.Combine(mounted, "g"), new byte[256 << 10]);
        Directory.CreateDirectory(Path.Combine(mounted, "d"));
        Unmount(mounted);
        UsageResponse after = await UsageAsync("small");
        Assert.InRange(after.Size - before.Size, 256 << 10, 512 << 10);
        Assert.Equal(2, after.Inodes - before.Inodes);
        await CommitAsync("n", "small");
        Assert.Equal(after, await UsageAsync("n"));
        Assert.InRange((await UsageAsync("big")).Size, 1 << 20, 2 << 20);
        await RefusedAsync(StatusCode.NotFound, "snapshot missing does not exist: not found", () => UsageAsync("missing"));
    }

    [SkippableFact]
    public async Task A_parent_is_not_removed_before_its_children()
    {
        await LayerAsync("n", "", _ => { });
        await PrepareAsync("k", "n");
        await RefusedAsync(StatusCode.FailedPrecondition, "cannot remove snapshot with child: failed precondition", () => RemoveAsync("n"));
        await RemoveAsync("k");
        await RemoveAsync("n");
        await RefusedAsync(StatusCode.NotFound, "snapshot n does not exist: not found", () => RemoveAsync("n"));
    }

    [SkippableFact]
    public async Task Cleanup_is_served()
    {
        if (CleansUp)
        {
            await Client.Snapshots.CleanupAsync(new CleanupRequest { Snapshotter = snapshotter });
        }
        else
        {
            await RefusedAsync(
                StatusCode.Unimplemented, null, () => Client.Snapshots.CleanupAsync(new CleanupRequest { Snapshotter = snapshotter }).ResponseAsync);
        }
    }

    [SkippableFact]
    public async Task A_snapshotter_must_be_named_and_known()
    {
        await RefusedAsync(
            StatusCode.InvalidArgument,
            "snapshotter argument missing: invalid argument",
            () => Client.Snapshots.StatAsync(new StatSnapshotRequest { Key = "k" }).ResponseAsync);
        await RefusedAsync(
            StatusCode.InvalidArgument,
            "snapshotter not loaded: zzz: invalid argument",
            () => Client.Snapshots.PrepareAsync(new PrepareSnapshotRequest { Snapshotter = "zzz", Key = "k" }).ResponseAsync);
    }

    private async Task LayerAsync(string name, string parent, Action<string> fill)
    {
        string key = $"layer-{name}";
        string mounted = Mounted(await PrepareAsync(key, parent));
        fill(mounted);
        Unmount(mounted);
        await CommitAsync(name, key);
    }

    private async Task<IList<Types.Mount>> PrepareAsync(string key, string parent = "", params (string Key, string Value)[] labels)
    {
        PrepareSnapshotRequest request = new() { Snapshotter = snapshotter, Key = key, Parent = parent };
        request.Labels.Add(labels.ToDictionary(label => label.Key, label => label.Value));
        return (await Client.Snapshots.PrepareAsync(request)).Mounts;
    }

    private async Task<IList<Types.Mount>> ViewAsync(string key, string parent = "") =>
        (await Client.Snapshots.ViewAsync(new ViewSnapshotRequest { Snapshotter = snapshotter, Key = key, Parent = parent })).Mounts;

    private async Task<IList<Types.Mount>> MountsAsync(string key) =>
        (await Client.Snapshots.MountsAsync(new MountsRequest { Snapshotter = snapshotter, Key = key })).Mounts;

    private async Task CommitAsync(string name, string key, string parent = "", params (string Key, string Value)[] labels)
    {
        CommitSnapshotRequest request = new() { Snapshotter = snapshotter, Name = name, Key = key, Parent = parent };
        request.Labels.Add(labels.ToDictionary(label => label.Key, label => label.Value));
        await Client.Snapshots.CommitAsync(request);
    }

    private async Task RemoveAsync(string key) =>
        await Client.Snapshots.RemoveAsync(new RemoveSnapshotRequest { Snapshotter = snapshotter, Key = key });

    private async Task<Info> StatAsync(string key) =>
        (await Client.Snapshots.StatAsync(new StatSnapshotRequest { Snapshotter = snapshotter, Key = key })).Info;

    private async Task<UsageResponse> UsageAsync(string key) =>
        await Client.Snapshots.UsageAsync(new UsageRequest { Snapshotter = snapshotter, Key = key });
}
