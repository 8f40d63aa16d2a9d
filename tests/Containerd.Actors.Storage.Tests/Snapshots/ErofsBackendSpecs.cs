// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Linux.Executor;
using Containerd.Actors.Linux.Mounts;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Values;
using Containerd.Actors.Storage.Snapshots;

namespace Containerd.Actors.Storage.Tests.Snapshots;

public sealed class ErofsBackendSpecs : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private string Root => _directory["erofs"];

    public void Dispose()
    {
        Mounter.UnmountRecursive(_directory.Path, Mounter.Detach);
        _directory.Dispose();
    }

    [Fact]
    public void A_snapshot_without_parents_is_a_bind_mount_of_its_own_directory()
    {
        ErofsBackend backend = Open();
        backend.Create(1, SnapshotKind.Active, [], Labels.None);
        Mount mount = Assert.Single(backend.Mounts(1, SnapshotKind.Active, [], Labels.None));
        Assert.Equal(("bind", $"{Root}/snapshots/1/fs", "rw rbind"), (mount.Type, mount.Source, string.Join(' ', mount.Options)));
        Assert.Equal("ro rbind", string.Join(' ', Assert.Single(backend.Mounts(1, SnapshotKind.View, [], Labels.None)).Options));
        Assert.Equal([1L], backend.List());
        backend.Remove(1);
        backend.Remove(1);
        Assert.Empty(backend.List());
    }

    [Fact]
    public void What_is_told_can_be_mounted_by_every_client()
    {
        Mount active = Assert.Single(Open().Mounts(3, SnapshotKind.Active, [2, 1], Labels.None));
        Assert.Equal("overlay", active.Type);
        Assert.Equal(
            $"workdir={Root}/snapshots/3/work upperdir={Root}/snapshots/3/fs lowerdir={Root}/snapshots/2/layer:{Root}/snapshots/1/layer volatile index=on",
            string.Join(' ', active.Options));
        Mount view = Assert.Single(Open().Mounts(3, SnapshotKind.View, [2], Labels.None));
        Assert.Equal(("bind", $"{Root}/snapshots/2/layer", "ro rbind"), (view.Type, view.Source, string.Join(' ', view.Options)));
    }

    [Fact]
    public void Left_to_others_the_images_are_told_with_what_is_to_be_made_of_them()
    {
        ImmutableArray<Mount> active = Open(leavesMounting: true).Mounts(3, SnapshotKind.Active, [2, 1], Labels.None);
        Assert.Equal(
            ["erofs", "erofs", "format/mkdir/overlay"], active.Select(mount => mount.Type));
        Assert.Equal([$"{Root}/snapshots/2/layer.erofs", $"{Root}/snapshots/1/layer.erofs", "overlay"], active.Select(mount => mount.Source));
        Assert.Equal("ro loop", string.Join(' ', active[0].Options));
        Assert.Contains("lowerdir={{ overlay 0 1 }}", active[2].Options);
        Mount view = Assert.Single(Open(leavesMounting: true).Mounts(3, SnapshotKind.View, [2], Labels.None));
        Assert.Equal(("erofs", $"{Root}/snapshots/2/layer.erofs"), (view.Type, view.Source));
        Assert.Contains("lowerdir={{ mount 0 }}", Open(leavesMounting: true).Mounts(3, SnapshotKind.Active, [2], Labels.None)[1].Options);
    }

    [Fact]
    public void A_missing_program_is_named_and_no_crash()
    {
        ErofsBackend backend = ErofsBackend.Open(Root, new LinuxEffectRunner(), new ErofsSettings { Program = "/none/mkfs.erofs" });
        Assert.Equal("erofs: mkfs.erofs is not installed: failed precondition", backend.Probe()!.Text);
    }

    [Fact]
    public void A_program_that_fails_is_quoted_and_leaves_the_snapshot_as_it_was()
    {
        ErofsBackend backend = ErofsBackend.Open(Root, new LinuxEffectRunner(), new ErofsSettings { Program = "/bin/false" });
        backend.Create(1, SnapshotKind.Active, [], Labels.None);
        File.WriteAllText($"{Root}/snapshots/1/fs/f", "x");
        RefusedException refused = Assert.Throws<RefusedException>(() => backend.Commit(1, synchronize: false));
        Assert.StartsWith($"{Root}/snapshots/1/layer.erofs.new: mkfs.erofs failed: exit status 1", refused.Error.Text, StringComparison.Ordinal);
        Assert.Equal("x", File.ReadAllText($"{Root}/snapshots/1/fs/f"));
        Assert.False(File.Exists($"{Root}/snapshots/1/layer.erofs"));
    }

    [SkippableFact]
    public void An_image_shows_what_was_committed()
    {
        ErofsBackend backend = Able();
        backend.Create(1, SnapshotKind.Active, [], Labels.None);
        string files = $"{Root}/snapshots/1/fs";
        TreeListing.Shell($"""
            cd {files}; mkdir -p a/b; echo x > a/b/c; ln a/b/c d; ln -s /etc/passwd e; mkfifo f; mknod g c 1 3; mknod gone c 0 0
            chown 7:8 d; chmod 4711 d; truncate -s 1M h; printf end >> h; touch -d '2001-02-03 04:05:06.789' a/b d e a
            """);
        string before = TreeListing.Of(files);
        backend.Commit(1, synchronize: true);
        backend.MountLayers([1]);
        Assert.Equal(before, TreeListing.Of($"{Root}/snapshots/1/layer"));
        Assert.Throws<IOException>(() => File.WriteAllText($"{Root}/snapshots/1/layer/new", "x"));
    }

    [SkippableFact]
    public void Files_are_kept_until_the_commit_counts_and_then_given_up()
    {
        ErofsBackend backend = Able();
        backend.Create(1, SnapshotKind.Active, [], Labels.None);
        File.WriteAllText($"{Root}/snapshots/1/fs/f", "x");
        backend.Commit(1, synchronize: false);
        Assert.Equal("x", File.ReadAllText($"{Root}/snapshots/1/fs/f"));
        backend.Commit(1, synchronize: false);
        backend.Trim(1);
        Assert.Equal(["fs", "layer", "layer.erofs"], Directory.GetFileSystemEntries($"{Root}/snapshots/1").Select(Path.GetFileName).Order());
        Assert.Empty(Directory.GetFileSystemEntries($"{Root}/snapshots/1/fs"));
        backend.Trim(1);
        backend.MountLayers([1]);
        Assert.Equal("x", File.ReadAllText($"{Root}/snapshots/1/layer/f"));
    }

    [SkippableFact]
    public void A_parent_is_mounted_once_and_anew_when_a_reboot_took_it()
    {
        ErofsBackend backend = Able();
        backend.Create(1, SnapshotKind.Active, [], Labels.None);
        backend.Commit(1, synchronize: false);
        backend.Create(2, SnapshotKind.Active, [1], Labels.None);
        backend.Create(3, SnapshotKind.View, [1], Labels.None);
        string point = $"{Root}/snapshots/1/layer";
        Assert.Single(Mountinfo.Read(), entry => entry.MountPoint == point);
        Mounter.Unmount(point);
        backend.MountLayers([1]);
        Assert.Single(Mountinfo.Read(), entry => entry.MountPoint == point);
        backend.Remove(1);
        Assert.DoesNotContain(Mountinfo.Read(), entry => entry.MountPoint == point);
        Assert.Equal([2L, 3L], backend.List());
    }

    [SkippableFact]
    public void A_commit_that_is_done_again_shows_the_image_of_the_last_time()
    {
        ErofsBackend backend = Able();
        backend.Create(1, SnapshotKind.Active, [], Labels.None);
        backend.Create(2, SnapshotKind.Active, [1], Labels.None);
        backend.Commit(1, synchronize: false);
        backend.MountLayers([1]);
        File.WriteAllText($"{Root}/snapshots/1/fs/late", "x");
        backend.Commit(1, synchronize: false);
        backend.MountLayers([1]);
        Assert.Equal("x", File.ReadAllText($"{Root}/snapshots/1/layer/late"));
    }

    [SkippableFact]
    public void The_upper_root_belongs_to_the_owner_of_its_parent()
    {
        ErofsBackend backend = Able();
        ImmutableSortedDictionary<string, string> labels = Labels.From([
            new("containerd.io/snapshot/uidmapping", "0:1000:10"), new("containerd.io/snapshot/gidmapping", "0:2000:5")]);
        backend.Create(1, SnapshotKind.Active, [], labels);
        backend.Commit(1, synchronize: false);
        backend.Trim(1);
        backend.Create(2, SnapshotKind.Active, [1], Labels.None);
        using Linux.Files.DirectoryHandle upper = Linux.Files.DirectoryHandle.Open($"{Root}/snapshots/2/fs");
        Assert.Equal((1000u, 2000u), (upper.Status().UserId, upper.Status().GroupId));
    }

    private ErofsBackend Open(bool leavesMounting = false) => ErofsBackend.Open(
        Root, new LinuxEffectRunner(), new ErofsSettings { MountOptions = ["volatile", "index=on"], LeavesMounting = leavesMounting });

    private ErofsBackend Able()
    {
        Skip.IfNot(TemporaryDirectory.IsRoot, "needs root");
        ErofsBackend backend = Open();
        Skip.IfNot(backend.Probe() is null, backend.Probe()?.Text);
        return backend;
    }
}
