// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Linux;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Linux.Executor;
using Containerd.Actors.Linux.Mounts;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Storage.Mounts;

namespace Containerd.Actors.Storage.Tests.Mounts;

public sealed class ActivationDirectoriesSpecs : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly ActivationDirectories _activations;

    public ActivationDirectoriesSpecs() => _activations = ActivationDirectories.Open(
        _directory.Make("state"), _directory.Make("root"), new LinuxEffectRunner(), TimeProvider.System);

    public void Dispose()
    {
        foreach (FoundActivation left in _activations.List())
        {
            _activations.Unmount(left.Number, isForced: true);
        }

        Mounter.UnmountRecursive(_directory.Path, Mounter.Detach);
        _directory.Dispose();
    }

    [SkippableFact]
    public void A_file_system_is_made_attached_and_given_directories()
    {
        Skip.IfNot(File.Exists("/usr/sbin/mkfs.ext4"), "needs mkfs.ext4");
        string image = _directory["root/rw.img"];
        MountedPlan mounted = Mount(
            1,
            new Mount("mkfs/ext4", image, "", ["X-containerd.mkfs.size=8m", "loop"]),
            new Mount("format/mkdir/bind", "{{ mount 0 }}/upper", "", ["X-containerd.mkdir.path={{ mount 0 }}/upper:0751", "rbind"]));
        string point = Assert.Single(mounted.Active).MountPoint;
        Assert.Equal(("ext4", $"{_activations.Path}/1/0", "loop"), (mounted.Active[0].Mount.Type, point, string.Join(' ', mounted.Active[0].Mount.Options)));
        Mount system = Assert.Single(mounted.System);
        Assert.Equal(("bind", $"{point}/upper", "rbind"), (system.Type, system.Source, string.Join(' ', system.Options)));
        Assert.Equal("751", Convert.ToString((int)File.GetUnixFileMode($"{point}/upper"), 8));
        File.WriteAllText($"{point}/upper/kept", "x");

        _activations.Unmount(1, isForced: false);
        Assert.False(Directory.Exists(_activations.Of(1)));
        Mount(2, new Mount("mkfs/ext4", image, "", ["X-containerd.mkfs.size=8m", "loop"]), new Mount("format/bind", "{{ mount 0 }}", "", []));
        Assert.Equal("x", File.ReadAllText($"{_activations.Of(2)}/0/upper/kept"));
    }

    [SkippableFact]
    public void A_loop_device_is_a_link_that_others_can_mount_and_goes_with_its_activation()
    {
        string image = Image("ext4");
        MountedPlan mounted = Mount(1, new Mount("loop", image, "", []), new Mount("format/ext4", "{{ mount 0 }}", "", []));
        string link = Assert.Single(mounted.System).Source;
        string device = new FileInfo(link).LinkTarget!;
        Assert.True(LoopDevice.IsAttached(device, image));
        string target = _directory.Make("target");
        Mounter.MountAll(mounted.System, target);
        Assert.Equal([link], Assert.Single(_activations.List()).Live);

        _activations.Unmount(1, isForced: false);
        Assert.True(LoopDevice.IsAttached(device, image));
        Mounter.Unmount(target);
        Assert.False(LoopDevice.IsAttached(device, image));
        Assert.Empty(_activations.List());
    }

    [SkippableFact]
    public void A_device_that_belongs_to_somebody_else_by_now_is_not_taken_for_ours()
    {
        string image = Image("ext4");
        Mount(1, new Mount("loop", image, "", []), new Mount("format/ext4", "{{ mount 0 }}", "", []));
        string link = $"{_activations.Of(1)}/0";
        using LoopDevice other = LoopDevice.Attach(Image("ext2"), isReadOnly: true);
        LoopDevice.Release(new FileInfo(link).LinkTarget!, image);
        File.Delete(link);
        File.CreateSymbolicLink(link, other.Path);
        Assert.Empty(Assert.Single(_activations.List()).Live);
        _activations.Unmount(1, isForced: false);
        Assert.True(LoopDevice.IsAttached(other.Path, _directory["root/ext2"]));
    }

    [SkippableFact]
    public void Images_are_mounted_and_shown_to_overlays()
    {
        string[] images = [Tree("one"), Tree("two")];
        MountedPlan mounted = Mount(
            1,
            [.. images.Select(image => new Mount("erofs", image, "", ["ro", "loop"])), new Mount("format/overlay", "overlay", "", ["lowerdir={{ overlay 0 1 }}"])]);
        Assert.Equal(2, mounted.Active.Length);
        string target = _directory.Make("target");
        Mounter.MountAll(mounted.System, target);
        Assert.Equal(["one", "two"], Directory.GetFiles(target).Select(Path.GetFileName).Order());
        Assert.Equal(mounted.Active.Select(active => active.MountPoint).Order(), Assert.Single(_activations.List()).Live.Order());

        // An overlay keeps what it is made of.
        _activations.Unmount(1, isForced: false);
        Assert.Equal("one", File.ReadAllText($"{target}/one"));
    }

    [SkippableFact]
    public void A_lone_image_is_left_as_a_bind_mount_of_itself()
    {
        MountedPlan mounted = Mount(1, new Mount("erofs", Tree("one"), "", ["ro"]));
        Mount system = Assert.Single(mounted.System);
        Assert.Equal(("bind", mounted.Active[0].MountPoint, "rbind"), (system.Type, system.Source, string.Join(' ', system.Options)));
    }

    [SkippableFact]
    public void A_step_that_fails_takes_back_those_before_it()
    {
        string image = Tree("one");
        RefusedException refused = Assert.Throws<RefusedException>(
            () => Mount(1, new Mount("erofs", image, "", ["ro"]), new Mount("format/bind", "{{ mount 1 }}", "", [])));
        Assert.Equal("mount template \"{{ mount 1 }}\": index out of bounds: 1, has 1 active mounts: invalid argument", refused.Error.Text);
        Assert.Throws<LinuxException>(() => Mount(2, new Mount("erofs", image, "", ["ro"]), new Mount("erofs", "/none", "", ["ro"])));
        Assert.Empty(_activations.List());
        Assert.DoesNotContain(Mountinfo.Read(), entry => entry.MountPoint.StartsWith(_activations.Path, StringComparison.Ordinal));
    }

    [SkippableFact]
    public void What_is_in_use_is_told_unless_it_is_forced()
    {
        Mount(1, new Mount("erofs", Tree("one"), "", ["ro"]));
        using (File.OpenRead($"{_activations.Of(1)}/0/one"))
        {
            Assert.Equal("EBUSY", Assert.Throws<LinuxException>(() => _activations.Unmount(1, isForced: false)).Error.Name);
            Assert.Single(_activations.List());
            _activations.Unmount(1, isForced: true);
            Assert.Empty(_activations.List());
        }
    }

    [SkippableTheory]
    [InlineData("/etc/made")]
    [InlineData("relative")]
    [InlineData("")]
    [InlineData("{root}/../outside")]
    [InlineData("{root}/link/made")]
    public void Nothing_is_made_outside_of_the_daemons_directories(string path)
    {
        RootOnly();
        string outside = _directory.Make("outside");
        File.CreateSymbolicLink(_directory["root/link"], outside);
        string wanted = path.Replace("{root}", _directory["root"], StringComparison.Ordinal);
        Assert.ThrowsAny<Exception>(() => Mount(1, new Mount("mkdir/bind", "/", "", [$"X-containerd.mkdir.path={wanted}"])));
        Assert.Empty(Directory.GetFileSystemEntries(outside));
        Assert.False(Directory.Exists("/etc/made"));
        Assert.Throws<RefusedException>(() => Mount(2, new Mount("mkfs/ext4", "/etc/made.img", "", ["X-containerd.mkfs.size=1m"])));
        Assert.False(File.Exists("/etc/made.img"));
    }

    [SkippableFact]
    public void A_directory_that_is_there_must_be_as_it_is_wanted()
    {
        RootOnly();
        string path = _directory["root/made"];
        Mount(1, new Mount("mkdir/bind", "/", "", [$"X-containerd.mkdir.path={path}:0750:7:8"]));
        Mount(2, new Mount("mkdir/bind", "/", "", [$"X-containerd.mkdir.path={path}:0750:7:8"]));
        RefusedException refused = Assert.Throws<RefusedException>(() => Mount(3, new Mount("mkdir/bind", "/", "", [$"X-containerd.mkdir.path={path}:0755"])));
        Assert.Equal($"mkdir target \"{path}\" exists and is of another mode or owner: failed precondition", refused.Error.Text);
    }

    [SkippableFact]
    public void A_program_that_fails_leaves_no_file_that_looks_formatted()
    {
        Skip.IfNot(File.Exists("/usr/sbin/mkfs.ext4"), "needs mkfs.ext4");
        RootOnly();
        string image = _directory["root/small.img"];
        RefusedException refused = Assert.Throws<RefusedException>(
            () => Mount(1, new Mount("mkfs/ext4", image, "", ["X-containerd.mkfs.size=1k", "loop"]), new Mount("format/bind", "{{ mount 0 }}", "", [])));
        Assert.StartsWith($"failed format \"{image}\": mkfs.ext4 failed: ", refused.Error.Text, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(_directory["root"]));
    }

    [SkippableFact]
    public void What_a_daemon_left_in_the_middle_of_its_work_is_cleared()
    {
        string image = Image("ext4");
        string scratch = _directory.Make("scratch");
        ScratchMounts left = ScratchMounts.Of(
            [new Mount("loop", image, "", []), new Mount("format/ext4", "{{ mount 0 }}", "", [])], _activations, scratch, CancellationToken.None);
        string device = new FileInfo(Assert.Single(left.Mounts).Source).LinkTarget!;
        Mounter.MountAll(left.Mounts, Directory.CreateDirectory(Path.Combine(scratch, "apply-1")).FullName);
        ScratchDirectories.Clear(scratch);
        Assert.Empty(Directory.GetFileSystemEntries(scratch));
        Assert.False(LoopDevice.IsAttached(device, image));
    }

    private MountedPlan Mount(long number, params ImmutableArray<Mount> mounts)
    {
        RootOnly();
        return _activations.Mount(number, MountPlan.Of(mounts)!, CancellationToken.None);
    }

    private string Image(string type)
    {
        RootOnly();
        Skip.IfNot(File.Exists($"/usr/sbin/mkfs.{type}"), $"needs mkfs.{type}");
        string file = _directory[$"root/{type}"];
        TreeListing.Shell($"truncate -s 4M {file} && /usr/sbin/mkfs.{type} -q {file}");
        return file;
    }

    private string Tree(string name)
    {
        RootOnly();
        Skip.IfNot(File.Exists("/usr/bin/mkfs.erofs"), "needs mkfs.erofs");
        Skip.IfNot(File.ReadAllText("/proc/filesystems").Contains("\terofs", StringComparison.Ordinal), "the kernel does not know EROFS");
        string image = _directory[$"root/{name}.erofs"];
        TreeListing.Shell($"mkdir {image}.d && printf {name} > {image}.d/{name} && mkfs.erofs --quiet {image} {image}.d");
        return image;
    }

    private static void RootOnly() => Skip.IfNot(TemporaryDirectory.IsRoot, "needs root");
}
