// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using Containerd.Actors.Core.Linux;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Linux.Mounts;
using Containerd.Actors.Protocol.Errors;

namespace Containerd.Actors.Linux.Tests.Mounts;

public sealed class LoopDeviceSpecs : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [SkippableFact]
    public void A_device_is_freed_with_its_last_user()
    {
        string file = Image("ext4");
        string device;
        using (LoopDevice loop = LoopDevice.Attach(file, isReadOnly: true))
        {
            device = loop.Path;
            Assert.True(LoopDevice.IsAttached(device, file));
            Assert.False(LoopDevice.IsAttached(device, file + "2"));
        }

        Assert.False(LoopDevice.IsAttached(device, file));
    }

    [SkippableFact]
    public void A_device_that_is_kept_stays_until_it_is_released()
    {
        string file = Image("ext4");
        string device;
        using (LoopDevice loop = LoopDevice.Attach(file, isReadOnly: false))
        {
            device = loop.Path;
            loop.Keep();
        }

        Assert.True(LoopDevice.IsAttached(device, file));
        LoopDevice.Release(device, file + "2");
        Assert.True(LoopDevice.IsAttached(device, file));
        LoopDevice.Release(device, file);
        Assert.False(LoopDevice.IsAttached(device, file));
    }

    [SkippableFact]
    public void A_file_is_mounted_on_a_device_of_its_own()
    {
        string file = Image("ext4");
        string target = _scratch.Directory("target");
        Mounter.Mount(new Mount("ext4", file, "", ["loop"]), target);
        string device = Mountinfo.Read().Single(mount => mount.MountPoint == target).Source;
        Assert.True(LoopDevice.IsAttached(device, file));
        File.WriteAllText(Path.Combine(target, "f"), "x");
        Mounter.Unmount(target);
        Assert.False(LoopDevice.IsAttached(device, file));
        Mounter.Mount(new Mount("ext4", file, "", ["loop", "ro"]), target);
        Assert.Equal("x", File.ReadAllText(Path.Combine(target, "f")));
        Assert.Throws<IOException>(() => File.WriteAllText(Path.Combine(target, "g"), "x"));
        Mounter.Unmount(target);
    }

    [SkippableFact]
    public void An_image_of_files_is_mounted_read_only()
    {
        string tree = _scratch.Directory("tree");
        Scratch.FileIn(tree, "file");
        string file = Path.Combine(tree, "..", "image");
        Made("mkfs.erofs", "--quiet", file, tree);
        Skip.IfNot(File.ReadAllText("/proc/filesystems").Contains("erofs", StringComparison.Ordinal), "the kernel does not know EROFS");
        string target = _scratch.Directory("target");
        Mounter.Mount(new Mount("erofs", Path.GetFullPath(file), "", ["loop", "ro"]), target);
        Assert.True(File.Exists(Path.Combine(target, "file")));
        Assert.Throws<IOException>(() => File.WriteAllText(Path.Combine(target, "g"), "x"));
        Mounter.Unmount(target);
    }

    [SkippableFact]
    public void What_is_no_file_system_is_refused_and_leaves_no_device()
    {
        RootOnly();
        string file = Path.GetFullPath(Path.Combine(_scratch.Directory("d"), "zeros"));
        File.WriteAllBytes(file, new byte[1 << 20]);
        LinuxException refused = Assert.Throws<LinuxException>(() => Mounter.Mount(new Mount("erofs", file, "", ["loop", "ro"]), _scratch.Directory("target")));
        Assert.Equal("mount", refused.Error.Call);
        Assert.DoesNotContain(Directory.GetDirectories("/sys/block", "loop*"), device => LoopDevice.IsAttached(device, file));
    }

    [Fact]
    public void An_image_that_is_to_be_verified_is_not_mounted_unverified()
    {
        RefusedException refused = Assert.Throws<RefusedException>(
            () => Mounter.Mount(new Mount("erofs", "/none", "", ["loop", "X-containerd.dmverity=/none.dmverity"]), "/none"));
        Assert.Equal(ErrorKind.NotImplemented, refused.Error.Kind);
    }

    [SkippableFact]
    public void A_missing_file_is_named()
    {
        RootOnly();
        LinuxException refused = Assert.Throws<LinuxException>(() => LoopDevice.Attach("/none/file", isReadOnly: true));
        Assert.Equal(("open", "/none/file"), (refused.Error.Call, refused.Error.Path));
    }

    private string Image(string type)
    {
        RootOnly();
        string file = Path.Combine(_scratch.Directory("images"), type);
        using (FileStream made = File.Create(file))
        {
            made.SetLength(4 << 20);
        }

        Made($"mkfs.{type}", "-q", file);
        return file;
    }

    private static void Made(string program, params string[] arguments)
    {
        RootOnly();
        string? path = ((string[])["/usr/sbin", "/usr/bin", "/sbin"]).Select(directory => Path.Combine(directory, program)).FirstOrDefault(File.Exists);
        Skip.If(path is null, $"needs {program}");
        using Process process = Process.Start(path, arguments);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }

    private static void RootOnly()
    {
        Skip.IfNot(Environment.UserName == "root", "needs root");
        Skip.IfNot(File.Exists("/dev/loop-control"), "needs loop devices");
    }
}
