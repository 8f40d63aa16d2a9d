// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Linux;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Linux.Mounts;
using Containerd.Actors.Protocol.Errors;

namespace Containerd.Actors.Linux.Tests.Mounts;

public sealed class MounterSpecs : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [SkippableFact]
    public void A_bind_mount_shows_its_source()
    {
        RootOnly();
        string source = _scratch.Directory("source");
        string target = _scratch.Directory("target");
        Scratch.FileIn(source, "file");

        Mounter.Mount(new Mount("bind", source, string.Empty, ["rbind", "rw"]), target);

        Assert.True(File.Exists(Path.Combine(target, "file")));
    }

    [SkippableFact]
    public void A_read_only_bind_mount_takes_no_writes_while_its_source_does()
    {
        RootOnly();
        string source = _scratch.Directory("source");
        string target = _scratch.Directory("target");

        Mounter.Mount(new Mount("bind", source, string.Empty, ["rbind", "ro"]), target);

        Assert.Throws<IOException>(() => File.WriteAllText(Path.Combine(target, "file"), "x"));
        File.WriteAllText(Path.Combine(source, "file"), "x");
    }

    [SkippableFact]
    public void A_bind_mount_takes_propagation_and_flags_of_its_own()
    {
        RootOnly();
        string target = _scratch.Directory("target");

        Mounter.Mount(new Mount("bind", _scratch.Directory("source"), string.Empty, ["bind", "nosuid", "nodev", "shared"]), target);

        MountinfoEntry entry = Mountinfo.Read().Single(mount => mount.MountPoint == target);
        Assert.Contains("nosuid", entry.Options, StringComparison.Ordinal);
        Assert.Contains("nodev", entry.Options, StringComparison.Ordinal);
        Assert.Contains(entry.OptionalFields, field => field.StartsWith("shared:", StringComparison.Ordinal));
    }

    [SkippableTheory]
    [InlineData(1, 4)]
    [InlineData(20, 4)]
    [InlineData(120, 60)]
    [InlineData(300, 20)]
    public void An_overlay_shows_all_lower_directories_however_long_its_options(int lowers, int nameLength)
    {
        RootOnly();
        string[] directories = [.. Enumerable.Range(0, lowers).Select(i => _scratch.Directory(new string('l', nameLength) + i))];
        Scratch.FileIn(directories[0], "first");
        Scratch.FileIn(directories[^1], "last");
        string target = _scratch.Directory("target");
        string upper = _scratch.Directory("upper");

        Mounter.Mount(new Mount("overlay", "overlay", string.Empty,
            [$"workdir={_scratch.Directory("work")}", $"upperdir={upper}", $"lowerdir={string.Join(':', directories)}"]), target);

        Assert.True(File.Exists(Path.Combine(target, "first")));
        Assert.True(File.Exists(Path.Combine(target, "last")));
        File.WriteAllText(Path.Combine(target, "new"), "x");
        Assert.True(File.Exists(Path.Combine(upper, "new")));
    }

    [SkippableFact]
    public void A_long_overlay_leaves_the_working_directory_of_the_caller_alone()
    {
        RootOnly();
        string before = Directory.GetCurrentDirectory();
        string[] directories = [.. Enumerable.Range(0, 40).Select(i => _scratch.Directory(new string('l', 80) + i))];

        Mounter.Mount(new Mount("overlay", "overlay", string.Empty, [$"lowerdir={string.Join(':', directories)}"]), _scratch.Directory("target"));

        Assert.Equal(before, Directory.GetCurrentDirectory());
    }

    [SkippableFact]
    public void A_sub_path_is_resolved_below_the_target()
    {
        RootOnly();
        string outside = _scratch.Directory("outside");
        string target = _scratch.Directory("target");
        string inside = _scratch.Directory("target" + outside);
        string source = _scratch.Directory("source");
        Scratch.FileIn(source, "file");
        File.CreateSymbolicLink(Path.Combine(target, "link"), outside);

        Mounter.Mount(new Mount("bind", source, "link", ["bind"]), target);

        Assert.True(File.Exists(Path.Combine(inside, "file")));
        Assert.False(File.Exists(Path.Combine(outside, "file")));
    }

    [SkippableFact]
    public void A_sub_path_may_be_read_only()
    {
        RootOnly();
        string target = _scratch.Directory("target");
        string inside = _scratch.Directory("target/inside");

        Mounter.Mount(new Mount("bind", _scratch.Directory("source"), "inside", ["bind", "ro"]), target);

        Assert.Throws<IOException>(() => File.WriteAllText(Path.Combine(inside, "file"), "x"));
        File.WriteAllText(Path.Combine(target, "file"), "x");
    }

    [SkippableFact]
    public void A_failure_takes_back_mounts_on_sub_paths_too()
    {
        RootOnly();
        string target = _scratch.Directory("target");
        _scratch.Directory("target/inside");

        Assert.Throws<LinuxException>(() => Mounter.MountAll(
            [new Mount("tmpfs", "tmpfs", "inside", ["ro"]), new Mount("bind", "/nowhere/at/all", string.Empty, ["bind"])], target));

        Assert.DoesNotContain(Mountinfo.Read(), entry => entry.MountPoint.StartsWith(target, StringComparison.Ordinal));
    }

    [SkippableFact]
    public void A_failure_takes_back_the_mounts_before_it_and_names_the_path()
    {
        RootOnly();
        string target = _scratch.Directory("target");

        LinuxException failure = Assert.Throws<LinuxException>(() => Mounter.MountAll(
            [
                new Mount("bind", _scratch.Directory("source"), string.Empty, ["bind"]),
                new Mount("bind", Path.Combine(_scratch.Root, "missing"), string.Empty, ["bind"]),
            ],
            target));

        Assert.Equal(("mount", "ENOENT", "no such file or directory", target),
            (failure.Error.Call, failure.Error.Name, failure.Error.Reason, failure.Error.Path));
        Assert.DoesNotContain(Mountinfo.Read(), entry => entry.MountPoint == target);
    }

    [SkippableFact]
    public void Unmounting_all_undoes_stacked_mounts_and_takes_nothing_mounted_as_done()
    {
        RootOnly();
        string target = _scratch.Directory("target");
        for (int i = 0; i < 3; i++)
        {
            Mounter.Mount(new Mount("tmpfs", "tmpfs", string.Empty, ["size=1m"]), target);
        }

        Mounter.UnmountAll(target);
        Mounter.UnmountAll(target);
        Mounter.UnmountAll(Path.Combine(_scratch.Root, "missing"));

        Assert.DoesNotContain(Mountinfo.Read(), entry => entry.MountPoint == target);
    }

    [SkippableFact]
    public void Unmounting_recursively_undoes_nested_mounts_and_no_neighbours()
    {
        RootOnly();
        string target = _scratch.Directory("target");
        string neighbour = _scratch.Directory("target-2");
        Mounter.Mount(new Mount("tmpfs", "tmpfs", string.Empty, []), target);
        string nested = _scratch.Directory("target/a b");
        Mounter.Mount(new Mount("tmpfs", "tmpfs", string.Empty, []), nested);
        Mounter.Mount(new Mount("tmpfs", "tmpfs", string.Empty, []), neighbour);

        Mounter.UnmountRecursive(target + "/");

        Assert.Equal([neighbour], Mountinfo.Read().Select(entry => entry.MountPoint)
            .Where(point => point.StartsWith(_scratch.Root, StringComparison.Ordinal)));
    }

    [SkippableFact]
    public void A_mount_in_use_cannot_be_undone_without_detaching()
    {
        RootOnly();
        string target = _scratch.Directory("target");
        Mounter.Mount(new Mount("tmpfs", "tmpfs", string.Empty, []), target);
        using FileStream used = File.Create(Path.Combine(target, "file"));

        LinuxException failure = Assert.Throws<LinuxException>(() => Mounter.UnmountAll(target));

        Assert.Equal("EBUSY", failure.Error.Name);
        Mounter.UnmountAll(target, Mounter.Detach);
    }

    [SkippableFact]
    public void An_idmapped_bind_mount_shows_other_owners()
    {
        RootOnly();
        string source = _scratch.Directory("source");
        Scratch.FileIn(source, "file");
        string target = _scratch.Directory("target");
        try
        {
            Mounter.Mount(new Mount("bind", source, string.Empty, ["bind", "uidmap=0:4242:1", "gidmap=0:4243:1"]), target);
        }
        catch (Exception unsupported) when (unsupported is LinuxException { Error.Name: "EINVAL" or "EPERM" or "EOPNOTSUPP" } or RefusedException)
        {
            Skip.If(true, $"no idmapped mounts here: {unsupported.Message}");
        }

        using var stat = System.Diagnostics.Process.Start(
            new System.Diagnostics.ProcessStartInfo("stat", ["-c", "%u:%g", Path.Combine(target, "file")]) { RedirectStandardOutput = true })!;
        Assert.Equal("4242:4243", stat.StandardOutput.ReadToEnd().Trim());
        stat.WaitForExit();
    }

    private static void RootOnly() => Skip.IfNot(Environment.IsPrivilegedProcess, "mounting needs root");
}
