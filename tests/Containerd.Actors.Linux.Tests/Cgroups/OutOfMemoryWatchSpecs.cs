// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using Containerd.Actors.Linux.Cgroups;
using Containerd.Actors.Linux.Mounts;

namespace Containerd.Actors.Linux.Tests.Cgroups;

public sealed class OutOfMemoryWatchSpecs : IDisposable
{
    private const string Limit = "8388608";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("cgroup-");
    private readonly SemaphoreSlim _told = new(0);

    private string Events => Path.Combine(_directory.FullName, "memory.events");

    public void Dispose()
    {
        _directory.Delete(recursive: true);
        _told.Dispose();
    }

    [Fact]
    public async Task Each_rise_of_the_count_is_told()
    {
        Count(kills: 0);
        using OutOfMemoryWatch watch = Start();
        Count(kills: 1);
        Assert.True(await _told.WaitAsync(Patience));
        Count(kills: 2);
        Assert.True(await _told.WaitAsync(Patience));
    }

    [Fact]
    public void What_was_there_before_is_not_told()
    {
        Count(kills: 3);
        using OutOfMemoryWatch watch = Start();
        watch.Complete();
        Assert.Equal(0, _told.CurrentCount);
    }

    [Fact]
    public void What_happened_is_told_once_by_the_time_that_it_is_completed()
    {
        Count(kills: 0);
        using OutOfMemoryWatch watch = Start();
        Count(kills: 1);
        watch.Complete();
        Assert.Equal(1, _told.CurrentCount);
        watch.Complete();
        Assert.Equal(1, _told.CurrentCount);
        Count(kills: 2);
        watch.Complete();
        Assert.Equal(2, _told.CurrentCount);
    }

    [SkippableFact]
    public async Task A_kill_by_the_kernel_is_told_once_by_the_time_that_its_end_was_seen_and_the_watch_completed()
    {
        string? parent = CgroupFiles.Read(Environment.ProcessId).Directories.GetValueOrDefault("memory");
        Skip.If(parent is null || CgroupFiles.Mode(Mountinfo.Read()) == CgroupMode.Unified, "needs the memory cgroup of version 1");
        Skip.IfNot(Environment.IsPrivilegedProcess, "needs root");
        string cgroup = Directory.CreateDirectory(Path.Combine(parent, $"oom-{Guid.NewGuid():N}")).FullName;
        try
        {
            await File.WriteAllTextAsync(Path.Combine(cgroup, "memory.limit_in_bytes"), Limit);
            using OutOfMemoryWatch watch = OutOfMemoryWatch.Start(cgroup, isUnified: false, () => _told.Release());
            using Process greedy = Process.Start("sh", ["-c", $"echo $$ >{cgroup}/cgroup.procs; exec tail /dev/zero"]);
            await greedy.WaitForExitAsync();
            watch.Complete();
            Assert.Equal(1, _told.CurrentCount);
        }
        finally
        {
            Directory.Delete(cgroup);
        }
    }

    private OutOfMemoryWatch Start() => OutOfMemoryWatch.Start(_directory.FullName, isUnified: true, () => _told.Release());

    // In place and with one write, as the kernel changes it.
    private void Count(int kills)
    {
        using FileStream file = new(Events, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        file.Write(System.Text.Encoding.ASCII.GetBytes($"low 0\noom {kills}\noom_kill {kills}\n"));
    }
}
