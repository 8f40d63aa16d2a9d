// SPDX-License-Identifier: Apache-2.0

using Containerd.Cgroups.V1;

namespace Containerd.Actors.Shim.Cgroups;

/// <summary>Usage from the controllers of cgroup v1 (kernel documentation, admin-guide/cgroup-v1).</summary>
internal static class MetricsV1
{
    private const ulong TicksPerSecond = 100;
    private const ulong NanosecondsPerTick = 1_000_000_000 / TicksPerSecond;

    /// <summary>Reads all controllers that are there.</summary>
    /// <param name="controller">The files of a controller.</param>
    public static Metrics Read(Func<string, CgroupTexts> controller)
    {
        CgroupTexts memory = controller("memory");
        Metrics metrics = new()
        {
            Pids = new PidsStat { Current = controller("pids").Number("pids.current"), Limit = Limit(controller("pids").Number("pids.max")) },
            Cpu = Cpu(controller("cpuacct"), controller("cpu")),
            Memory = Memory(memory),
            Blkio = BlockDevices(controller("blkio")),
        };
        IReadOnlyDictionary<string, ulong> oom = memory.Keyed("memory.oom_control");
        metrics.MemoryOomControl = new MemoryOomControl
        {
            OomKillDisable = oom.GetValueOrDefault("oom_kill_disable"),
            UnderOom = oom.GetValueOrDefault("under_oom"),
            OomKill = oom.GetValueOrDefault("oom_kill"),
        };
        return metrics;
    }

    // A limit of 0 stands for none.
    private static ulong Limit(ulong value) => value == ulong.MaxValue ? 0 : value;

    private static CPUStat Cpu(CgroupTexts accounting, CgroupTexts scheduling)
    {
        IReadOnlyDictionary<string, ulong> ticks = accounting.Keyed("cpuacct.stat");
        IReadOnlyDictionary<string, ulong> throttling = scheduling.Keyed("cpu.stat");
        CPUStat cpu = new()
        {
            Usage = new CPUUsage
            {
                Total = accounting.Number("cpuacct.usage"),
                User = ticks.GetValueOrDefault("user") * NanosecondsPerTick,
                Kernel = ticks.GetValueOrDefault("system") * NanosecondsPerTick,
            },
            Throttling = new Throttle
            {
                Periods = throttling.GetValueOrDefault("nr_periods"),
                ThrottledPeriods = throttling.GetValueOrDefault("nr_throttled"),
                ThrottledTime = throttling.GetValueOrDefault("throttled_time"),
            },
        };
        cpu.Usage.PerCpu.AddRange(accounting.Lines("cpuacct.usage_percpu")
            .SelectMany(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Select(CgroupTexts.Parse));
        return cpu;
    }

    private static MemoryStat Memory(CgroupTexts files)
    {
        IReadOnlyDictionary<string, ulong> of = files.Keyed("memory.stat");
        ulong Get(string key) => of.GetValueOrDefault(key);
        return new MemoryStat
        {
            Cache = Get("cache"),
            Rss = Get("rss"),
            RssHuge = Get("rss_huge"),
            MappedFile = Get("mapped_file"),
            Dirty = Get("dirty"),
            Writeback = Get("writeback"),
            PgPgIn = Get("pgpgin"),
            PgPgOut = Get("pgpgout"),
            PgFault = Get("pgfault"),
            PgMajFault = Get("pgmajfault"),
            InactiveAnon = Get("inactive_anon"),
            ActiveAnon = Get("active_anon"),
            InactiveFile = Get("inactive_file"),
            ActiveFile = Get("active_file"),
            Unevictable = Get("unevictable"),
            HierarchicalMemoryLimit = Get("hierarchical_memory_limit"),
            HierarchicalSwapLimit = Get("hierarchical_memsw_limit"),
            TotalCache = Get("total_cache"),
            TotalRss = Get("total_rss"),
            TotalRssHuge = Get("total_rss_huge"),
            TotalMappedFile = Get("total_mapped_file"),
            TotalDirty = Get("total_dirty"),
            TotalWriteback = Get("total_writeback"),
            TotalPgPgIn = Get("total_pgpgin"),
            TotalPgPgOut = Get("total_pgpgout"),
            TotalPgFault = Get("total_pgfault"),
            TotalPgMajFault = Get("total_pgmajfault"),
            TotalInactiveAnon = Get("total_inactive_anon"),
            TotalActiveAnon = Get("total_active_anon"),
            TotalInactiveFile = Get("total_inactive_file"),
            TotalActiveFile = Get("total_active_file"),
            TotalUnevictable = Get("total_unevictable"),
            Usage = Entry(files, "memory"),
            Swap = Entry(files, "memory.memsw"),
            Kernel = Entry(files, "memory.kmem"),
            KernelTcp = Entry(files, "memory.kmem.tcp"),
        };
    }

    private static MemoryEntry Entry(CgroupTexts files, string prefix) => new()
    {
        Limit = files.Number($"{prefix}.limit_in_bytes"),
        Usage = files.Number($"{prefix}.usage_in_bytes"),
        Max = files.Number($"{prefix}.max_usage_in_bytes"),
        Failcnt = files.Number($"{prefix}.failcnt"),
    };

    private static BlkIOStat BlockDevices(CgroupTexts files)
    {
        BlkIOStat stat = new();
        stat.IoServiceBytesRecursive.AddRange(Entries(files, "blkio.throttle.io_service_bytes_recursive"));
        stat.IoServicedRecursive.AddRange(Entries(files, "blkio.throttle.io_serviced_recursive"));
        return stat;
    }

    // MAJOR:MINOR OPERATION VALUE, and a last line with the total.
    private static IEnumerable<BlkIOEntry> Entries(CgroupTexts files, string file)
    {
        foreach (string line in files.Lines(file))
        {
            string[] parts = line.Split(' ', ':');
            if (parts.Length == 4)
            {
                yield return new BlkIOEntry
                {
                    Major = CgroupTexts.Parse(parts[0]), Minor = CgroupTexts.Parse(parts[1]), Op = parts[2], Value = CgroupTexts.Parse(parts[3]),
                };
            }
        }
    }
}
