// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Linux.Cgroups;
using Containerd.Actors.Linux.Mounts;

namespace Containerd.Actors.Linux.Tests.Cgroups;

public sealed class CgroupFilesSpecs
{
    private const string V1Mounts =
        "30 25 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
        + "31 25 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n";

    private const string UnifiedMount = "32 25 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";

    [Theory]
    [InlineData("", CgroupMode.None)]
    [InlineData(V1Mounts, CgroupMode.Legacy)]
    [InlineData(V1Mounts + UnifiedMount, CgroupMode.Hybrid)]
    [InlineData(UnifiedMount, CgroupMode.Unified)]
    public void The_layout_is_seen_from_the_mount_table(string mounts, CgroupMode mode) =>
        Assert.Equal(mode, CgroupFiles.Mode(Mountinfo.Parse(mounts)));

    [Theory]
    [InlineData("4:memory:/a:b/c\n", V1Mounts, "memory=/sys/fs/cgroup/memory/a:b/c")]
    [InlineData("3:cpu,cpuacct:/\n", V1Mounts, "cpu=/sys/fs/cgroup/cpu,cpuacct cpuacct=/sys/fs/cgroup/cpu,cpuacct")]
    [InlineData("4:memory:/x\n0::/y\n", V1Mounts + UnifiedMount, "=/sys/fs/cgroup/unified/y memory=/sys/fs/cgroup/memory/x")]
    [InlineData("0::/system.slice/a.scope\n", UnifiedMount, "=/sys/fs/cgroup/unified/system.slice/a.scope")]
    [InlineData("5:devices:/x\n", V1Mounts, "")]
    [InlineData("nonsense\n4:memory\n", V1Mounts, "")]
    public void Directories_are_found_by_controller(string cgroup, string mounts, string expected) =>
        Assert.Equal(expected, string.Join(' ', CgroupFiles.Directories(CgroupFiles.Parse(cgroup), Mountinfo.Parse(mounts))
            .Select(pair => $"{pair.Key}={pair.Value}")));

    [Theory]
    [InlineData("0::/docker/x/init\n", "=/sys/fs/cgroup/init")]
    [InlineData("0::/docker/x\n", "=/sys/fs/cgroup")]
    [InlineData("0::/docker/xy\n", "")]
    public void A_hierarchy_mounted_in_part_cuts_its_root(string cgroup, string expected) =>
        Assert.Equal(expected, string.Join(' ', CgroupFiles.Directories(
            CgroupFiles.Parse(cgroup), Mountinfo.Parse("32 25 0:28 /docker/x /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"))
            .Select(pair => $"{pair.Key}={pair.Value}")));

    [Fact]
    public void The_cgroups_of_this_process_can_be_read()
    {
        CgroupReading reading = CgroupFiles.Read(Environment.ProcessId);

        Assert.All(reading.Directories.Values, directory => Assert.StartsWith("/", directory, StringComparison.Ordinal));
        Assert.Equal(CgroupFiles.Mode(Mountinfo.Read()), reading.Mode);
    }
}
