// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Values;
using Containerd.Actors.Storage.Snapshots;

namespace Containerd.Actors.Storage.Tests.Snapshots;

/// <summary>What holds for every backend.</summary>
public abstract class SnapshotBackendContract : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    protected string Root => _directory["snapshotter"];

    protected abstract ISnapshotBackend Open();

    protected abstract string Content(long id);

    public void Dispose()
    {
        _directory.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public void A_snapshot_without_parents_is_a_bind_mount_of_its_own_directory()
    {
        ISnapshotBackend backend = Open();
        backend.Create(1, SnapshotKind.Active, [], Labels.None);
        Mount mount = Assert.Single(backend.Mounts(1, SnapshotKind.Active, [], Labels.None));

        Assert.Equal(("bind", Content(1)), (mount.Type, mount.Source));
        Assert.Contains("rw", mount.Options);
        Assert.Contains("ro", Assert.Single(backend.Mounts(1, SnapshotKind.View, [], Labels.None)).Options);
        Assert.True(Directory.Exists(Content(1)));
    }

    [Fact]
    public void Directories_are_listed_by_number_and_removed_once()
    {
        ISnapshotBackend backend = Open();
        backend.Create(10, SnapshotKind.Active, [], Labels.None);
        backend.Create(9, SnapshotKind.View, [], Labels.None);
        Directory.CreateDirectory(Path.Combine(Root, "snapshots", "new-77"));

        backend = Open();
        Assert.Equal([9, 10], backend.List());
        backend.Remove(9);
        backend.Remove(9);
        Assert.Equal([10], backend.List());
        Assert.False(Directory.Exists(Path.Combine(Root, "snapshots", "new-77")));
    }

    [Fact]
    public void What_a_crash_left_under_a_number_is_replaced()
    {
        ISnapshotBackend backend = Open();
        backend.Create(1, SnapshotKind.Active, [], Labels.None);
        File.WriteAllText(Path.Combine(Content(1), "old"), "old");
        backend.Create(1, SnapshotKind.Active, [], Labels.None);

        Assert.Empty(Directory.GetFileSystemEntries(Content(1)));
    }

    [Fact]
    public void A_bound_on_the_size_is_refused_where_nothing_would_hold_it()
    {
        ISnapshotBackend backend = Open();
        ImmutableSortedDictionary<string, string> labels = Labels.None.Add("containerd.io/snapshot/max-size", "1048576");
        RefusedException refused = Assert.Throws<RefusedException>(() => backend.Create(1, SnapshotKind.Active, [], labels));
        Assert.Equal(
            $"snapshot label containerd.io/snapshot/max-size=1048576: directories of \"{Root}/snapshots\" have no quotas: not implemented", refused.Error.Text);
        Assert.Empty(backend.List());
    }

    [Fact]
    public void Usage_counts_a_file_with_two_names_once()
    {
        ISnapshotBackend backend = Open();
        backend.Create(1, SnapshotKind.Active, [], Labels.None);
        long empty = backend.Usage(1).Size;
        File.WriteAllBytes(Path.Combine(Content(1), "a"), new byte[8192]);
        TreeListing.Shell($"ln {Content(1)}/a {Content(1)}/b");
        backend.Commit(1, synchronize: true);

        Assert.Equal(new SnapshotUsage(empty + 8192, 2), backend.Usage(1));
    }
}

public sealed class OverlayBackendSpecs : SnapshotBackendContract
{
    protected override ISnapshotBackend Open() => OverlayBackend.Open(Root, new OverlaySettings { IndexOff = true, UserAttributes = false });

    protected override string Content(long id) => $"{Root}/snapshots/{id}/fs";

    [Fact]
    public void Parents_become_lower_directories_with_options_in_containerds_order()
    {
        Mount active = Assert.Single(Open().Mounts(3, SnapshotKind.Active, [2, 1], Labels.None));
        Assert.Equal("overlay", active.Type);
        Assert.Equal(
            $"workdir={Root}/snapshots/3/work upperdir={Content(3)} lowerdir={Content(2)}:{Content(1)} index=off",
            string.Join(' ', active.Options));
        Mount view = Assert.Single(Open().Mounts(3, SnapshotKind.View, [2, 1], Labels.None));
        Assert.Equal($"lowerdir={Content(2)}:{Content(1)} index=off", string.Join(' ', view.Options));
        Mount single = Assert.Single(Open().Mounts(3, SnapshotKind.View, [2], Labels.None));
        Assert.Equal(("bind", Content(2)), (single.Type, single.Source));
    }

    [Fact]
    public void Mappings_become_options_only_where_the_kernel_remaps()
    {
        ImmutableSortedDictionary<string, string> labels = Labels.From([
            new("containerd.io/snapshot/uidmapping", "0:1000:10"), new("containerd.io/snapshot/gidmapping", "0:2000:10")]);
        Assert.DoesNotContain(Assert.Single(Open().Mounts(3, SnapshotKind.Active, [2], labels)).Options, option => option.Contains("map=", StringComparison.Ordinal));
        OverlayBackend remapping = OverlayBackend.Open(Root, new OverlaySettings { RemapIds = true });
        Assert.Equal(["uidmap=0:1000:10", "gidmap=0:2000:10"], Assert.Single(remapping.Mounts(3, SnapshotKind.Active, [2], labels)).Options.Take(2));
        Assert.Equal(
            "uidmap=0:1000:10 gidmap=0:2000:10 ro rbind", string.Join(' ', Assert.Single(remapping.Mounts(3, SnapshotKind.View, [2], labels)).Options));
        Assert.Contains("remap-ids", remapping.Capabilities);
        Assert.DoesNotContain("remap-ids", Open().Capabilities);
    }

    [Fact]
    public void Mappings_must_be_complete()
    {
        ImmutableSortedDictionary<string, string> one = Labels.None.Add("containerd.io/snapshot/uidmapping", "0:1000:10");
        Assert.Equal(
            "snapshot labels containerd.io/snapshot/uidmapping and containerd.io/snapshot/gidmapping must be given together: invalid argument",
            Assert.Throws<RefusedException>(() => Open().Create(1, SnapshotKind.Active, [], one)).Error.Text);
        ImmutableSortedDictionary<string, string> rootless = one.SetItem("containerd.io/snapshot/gidmapping", "5:1000:10");
        Assert.Equal(
            "snapshot id mapping \"5:1000:10\" does not map id 0: invalid argument",
            Assert.Throws<RefusedException>(() => Open().Create(1, SnapshotKind.Active, [], rootless)).Error.Text);
    }

    [SkippableFact]
    public void The_upper_root_belongs_to_the_mapped_root_and_the_kernel_takes_it()
    {
        Skip.IfNot(TemporaryDirectory.IsRoot);
        OverlayBackend backend = (OverlayBackend)Open();
        ImmutableSortedDictionary<string, string> labels = Labels.From([
            new("containerd.io/snapshot/uidmapping", "0:1000:10"), new("containerd.io/snapshot/gidmapping", "5:1:1,0:2000:5")]);
        backend.Create(1, SnapshotKind.Active, [], labels);
        backend.Create(2, SnapshotKind.Active, [1], Labels.None);

        using Linux.Files.DirectoryHandle upper = Linux.Files.DirectoryHandle.Open(Content(2));
        Assert.Equal((1000u, 2000u), (upper.Status().UserId, upper.Status().GroupId));
        Assert.Null(backend.Probe());
        Assert.Equal(["snapshots"], Directory.GetFileSystemEntries(Root).Select(Path.GetFileName));
    }
}

public sealed class NativeBackendSpecs : SnapshotBackendContract
{
    protected override ISnapshotBackend Open() => NativeBackend.Open(Root);

    protected override string Content(long id) => $"{Root}/snapshots/{id}";

    [SkippableFact]
    public void An_active_snapshot_is_a_faithful_copy_of_its_parent()
    {
        Skip.IfNot(TemporaryDirectory.IsRoot);
        ISnapshotBackend backend = Open();
        backend.Create(1, SnapshotKind.Active, [], Labels.None);
        TreeListing.Shell($"""
            cd {Content(1)}; mkdir -p a/b; echo x > a/b/c; ln a/b/c d; ln -s /etc/passwd e; mkfifo f; mknod g c 1 3
            chown 7:8 d; chmod 4711 d; truncate -s 1M h; printf end >> h; touch -d '2001-02-03 04:05:06.789' a/b d e a
            """);
        backend.Create(2, SnapshotKind.Active, [1], Labels.None);

        Assert.Equal(TreeListing.Of(Content(1)), TreeListing.Of(Content(2)));
        Assert.True(backend.Usage(2).Size < 1 << 20);
        Assert.Equal(Content(1), Assert.Single(backend.Mounts(3, SnapshotKind.View, [1], Labels.None)).Source);
    }
}
