// SPDX-License-Identifier: Apache-2.0

using Containerd.Cgroups.V2;

namespace Containerd.Actors.Shim.Cgroups;

/// <summary>Usage from the unified hierarchy (kernel documentation, admin-guide/cgroup-v2).</summary>
internal static class MetricsV2
{
    /// <summary>Reads all files that are there.</summary>
    public static Metrics Read(CgroupTexts files)
    {
        IReadOnlyDictionary<string, ulong> cpu = files.Keyed("cpu.stat");
        IReadOnlyDictionary<string, ulong> events = files.Keyed("memory.events");
        Metrics metrics = new()
        {
            Pids = new PidsStat { Current = files.Number("pids.current"), Limit = Limit(files.Number("pids.max")) },
            Cpu = new CPUStat
            {
                UsageUsec = cpu.GetValueOrDefault("usage_usec"),
                UserUsec = cpu.GetValueOrDefault("user_usec"),
                SystemUsec = cpu.GetValueOrDefault("system_usec"),
                NrPeriods = cpu.GetValueOrDefault("nr_periods"),
                NrThrottled = cpu.GetValueOrDefault("nr_throttled"),
                ThrottledUsec = cpu.GetValueOrDefault("throttled_usec"),
                NrBursts = cpu.GetValueOrDefault("nr_bursts"),
                BurstUsec = cpu.GetValueOrDefault("burst_usec"),
            },
            Memory = Memory(files),
            MemoryEvents = new MemoryEvents
            {
                Low = events.GetValueOrDefault("low"),
                High = events.GetValueOrDefault("high"),
                Max = events.GetValueOrDefault("max"),
                Oom = events.GetValueOrDefault("oom"),
                OomKill = events.GetValueOrDefault("oom_kill"),
                OomGroupKill = events.GetValueOrDefault("oom_group_kill"),
            },
            Io = new IOStat(),
        };
        metrics.Io.Usage.AddRange(BlockDevices(files));
        return metrics;
    }

    private static ulong Limit(ulong value) => value == ulong.MaxValue ? 0 : value;

    private static MemoryStat Memory(CgroupTexts files)
    {
        IReadOnlyDictionary<string, ulong> of = files.Keyed("memory.stat");
        ulong Get(string key) => of.GetValueOrDefault(key);
        return new MemoryStat
        {
            Anon = Get("anon"),
            File = Get("file"),
            KernelStack = Get("kernel_stack"),
            Slab = Get("slab"),
            Sock = Get("sock"),
            Shmem = Get("shmem"),
            FileMapped = Get("file_mapped"),
            FileDirty = Get("file_dirty"),
            FileWriteback = Get("file_writeback"),
            AnonThp = Get("anon_thp"),
            InactiveAnon = Get("inactive_anon"),
            ActiveAnon = Get("active_anon"),
            InactiveFile = Get("inactive_file"),
            ActiveFile = Get("active_file"),
            Unevictable = Get("unevictable"),
            SlabReclaimable = Get("slab_reclaimable"),
            SlabUnreclaimable = Get("slab_unreclaimable"),
            Pgfault = Get("pgfault"),
            Pgmajfault = Get("pgmajfault"),
            WorkingsetRefault = Get("workingset_refault_anon") + Get("workingset_refault_file"),
            WorkingsetActivate = Get("workingset_activate_anon") + Get("workingset_activate_file"),
            WorkingsetNodereclaim = Get("workingset_nodereclaim"),
            Pgrefill = Get("pgrefill"),
            Pgscan = Get("pgscan"),
            Pgsteal = Get("pgsteal"),
            Pgactivate = Get("pgactivate"),
            Pgdeactivate = Get("pgdeactivate"),
            Pglazyfree = Get("pglazyfree"),
            Pglazyfreed = Get("pglazyfreed"),
            ThpFaultAlloc = Get("thp_fault_alloc"),
            ThpCollapseAlloc = Get("thp_collapse_alloc"),
            Usage = files.Number("memory.current"),
            UsageLimit = files.Number("memory.max"),
            SwapUsage = files.Number("memory.swap.current"),
            SwapLimit = files.Number("memory.swap.max"),
            MaxUsage = files.Number("memory.peak"),
            SwapMaxUsage = files.Number("memory.swap.peak"),
        };
    }

    // MAJOR:MINOR rbytes=N wbytes=N rios=N wios=N …
    private static IEnumerable<IOEntry> BlockDevices(CgroupTexts files)
    {
        foreach (string line in files.Lines("io.stat"))
        {
            string[] parts = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            string[] device = parts[0].Split(':');
            if (device.Length != 2)
            {
                continue;
            }

            Dictionary<string, ulong> values = parts.Skip(1).Select(part => part.Split('='))
                .Where(pair => pair.Length == 2).ToDictionary(pair => pair[0], pair => CgroupTexts.Parse(pair[1]), StringComparer.Ordinal);
            yield return new IOEntry
            {
                Major = CgroupTexts.Parse(device[0]),
                Minor = CgroupTexts.Parse(device[1]),
                Rbytes = values.GetValueOrDefault("rbytes"),
                Wbytes = values.GetValueOrDefault("wbytes"),
                Rios = values.GetValueOrDefault("rios"),
                Wios = values.GetValueOrDefault("wios"),
            };
        }
    }
}
