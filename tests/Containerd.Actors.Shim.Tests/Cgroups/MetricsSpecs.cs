// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Shim.Cgroups;

namespace Containerd.Actors.Shim.Tests.Cgroups;

/// <summary>Files as kernels of both layouts write them.</summary>
public sealed class MetricsSpecs : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("cgroup-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void The_controllers_of_v1_are_read()
    {
        Write("pids/pids.current", "3\n");
        Write("pids/pids.max", "max\n");
        Write("cpuacct/cpuacct.usage", "123456789\n");
        Write("cpuacct/cpuacct.usage_percpu", "100 23 \n");
        Write("cpuacct/cpuacct.stat", "user 7\nsystem 5\n");
        Write("cpu/cpu.stat", "nr_periods 10\nnr_throttled 2\nthrottled_time 900\n");
        Write("memory/memory.stat", "cache 4096\nrss 8192\npgfault 12\ntotal_rss 16384\nhierarchical_memory_limit 67108864\n");
        Write("memory/memory.usage_in_bytes", "12288\n");
        Write("memory/memory.limit_in_bytes", "67108864\n");
        Write("memory/memory.oom_control", "oom_kill_disable 0\nunder_oom 1\noom_kill 4\n");
        Write("blkio/blkio.throttle.io_service_bytes_recursive", "8:0 Read 512\n8:0 Write 1024\nTotal 1536\n");
        Containerd.Cgroups.V1.Metrics metrics = MetricsV1.Read(controller => new CgroupTexts(Path.Combine(_directory.FullName, controller)));

        Assert.Equal((3UL, 0UL), (metrics.Pids.Current, metrics.Pids.Limit));
        Assert.Equal((123456789UL, 70_000_000UL, 50_000_000UL), (metrics.Cpu.Usage.Total, metrics.Cpu.Usage.User, metrics.Cpu.Usage.Kernel));
        Assert.Equal([100UL, 23UL], metrics.Cpu.Usage.PerCpu);
        Assert.Equal((10UL, 2UL, 900UL), (metrics.Cpu.Throttling.Periods, metrics.Cpu.Throttling.ThrottledPeriods, metrics.Cpu.Throttling.ThrottledTime));
        Assert.Equal((4096UL, 8192UL, 16384UL), (metrics.Memory.Cache, metrics.Memory.Rss, metrics.Memory.TotalRss));
        Assert.Equal((12288UL, 67108864UL), (metrics.Memory.Usage.Usage, metrics.Memory.Usage.Limit));
        Assert.Equal((1UL, 4UL), (metrics.MemoryOomControl.UnderOom, metrics.MemoryOomControl.OomKill));
        Assert.Equal([("Read", 512UL), ("Write", 1024UL)], metrics.Blkio.IoServiceBytesRecursive.Select(entry => (entry.Op, entry.Value)));
    }

    [Fact]
    public void The_unified_hierarchy_is_read()
    {
        Write("pids.current", "2\n");
        Write("pids.max", "50\n");
        Write("cpu.stat", "usage_usec 100\nuser_usec 60\nsystem_usec 40\nnr_throttled 1\n");
        Write("memory.current", "4096\n");
        Write("memory.max", "max\n");
        Write("memory.stat", "anon 1000\nfile 2000\nworkingset_refault_anon 1\nworkingset_refault_file 2\n");
        Write("memory.events", "low 0\nhigh 1\nmax 2\noom 3\noom_kill 4\n");
        Write("io.stat", "8:0 rbytes=512 wbytes=1024 rios=1 wios=2 dbytes=0 dios=0\n");
        Containerd.Cgroups.V2.Metrics metrics = MetricsV2.Read(new CgroupTexts(_directory.FullName));

        Assert.Equal((2UL, 50UL), (metrics.Pids.Current, metrics.Pids.Limit));
        Assert.Equal((100UL, 60UL, 40UL), (metrics.Cpu.UsageUsec, metrics.Cpu.UserUsec, metrics.Cpu.SystemUsec));
        Assert.Equal((4096UL, ulong.MaxValue, 1000UL, 3UL), (metrics.Memory.Usage, metrics.Memory.UsageLimit, metrics.Memory.Anon, metrics.Memory.WorkingsetRefault));
        Assert.Equal((3UL, 4UL), (metrics.MemoryEvents.Oom, metrics.MemoryEvents.OomKill));
        Assert.Equal((8UL, 512UL, 1024UL), (metrics.Io.Usage[0].Major, metrics.Io.Usage[0].Rbytes, metrics.Io.Usage[0].Wbytes));
    }

    [Fact]
    public void What_a_kernel_does_not_have_reads_as_nothing()
    {
        Assert.Equal(0UL, MetricsV1.Read(_ => new CgroupTexts(null)).Memory.Usage.Usage);
        Assert.Empty(MetricsV2.Read(new CgroupTexts(_directory.FullName)).Io.Usage);
    }

    private void Write(string file, string text)
    {
        string path = Path.Combine(_directory.FullName, file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }
}
