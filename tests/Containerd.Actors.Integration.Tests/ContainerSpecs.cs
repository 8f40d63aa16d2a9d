// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Integration.Tests;

/// <summary>Containers as containerd's own client sees them.</summary>
public sealed class ContainerSpecs(Machine machine) : IClassFixture<Machine>
{
    [SkippableFact]
    public async Task A_container_prints_and_its_exit_status_comes_back()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        Ran ran = await machine.CtrAsync("run", "--rm", machine.Busybox, "r1", "sh", "-c", "echo out; echo err >&2; exit 7");
        Assert.Equal((7, "out\n"), (ran.Status, ran.Output));
        Assert.Contains("err", ran.Errors, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task Standard_input_reaches_the_container_and_ends()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        Assert.Equal("5\n", (await machine.CtrAsync("hello", ["run", "--rm", machine.Busybox, "r2", "sh", "-c", "head -c 5 | wc -c"])).Output);
    }

    [SkippableFact]
    public async Task Processes_are_added_signalled_paused_and_forgotten()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        Assert.Equal(0, (await machine.CtrAsync("run", "-d", machine.Busybox, "life", "sleep", "1000")).Status);
        Assert.Equal(9, (await machine.CtrAsync("task", "exec", "--exec-id", "e", "life", "sh", "-c", "exit 9")).Status);
        Ran[] many = await Task.WhenAll(Enumerable.Range(0, 10).Select(i => machine.CtrAsync("task", "exec", "--exec-id", $"m{i}", "life", "echo", $"{i}")));
        Assert.Equal(Enumerable.Range(0, 10).Select(i => $"{i}\n"), many.Select(ran => ran.Output));
        await machine.CtrAsync("task", "pause", "life");
        Assert.Contains("PAUSED", (await machine.CtrAsync("task", "ls")).Output, StringComparison.Ordinal);
        await machine.CtrAsync("task", "resume", "life");
        Ran refused = await machine.CtrAsync("container", "rm", "life");
        Assert.NotEqual(0, refused.Status);
        await machine.CtrAsync("task", "kill", "-s", "KILL", "life");
        await Command.UntilAsync(() => machine.CtrAsync("task", "ls"), ran => ran.Output.Contains("STOPPED", StringComparison.Ordinal));
        await machine.CtrAsync("task", "rm", "life");
        Assert.Equal(0, (await machine.CtrAsync("container", "rm", "life")).Status);
        await Command.UntilAsync(() => machine.CtrAsync("container", "ls", "-q"), ran => !ran.Output.Contains("life", StringComparison.Ordinal) && machine.Shims("life").Count == 0);
    }

    [SkippableFact]
    public async Task A_container_that_wants_too_much_memory_is_ended_and_says_so()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        Ran ran = await machine.CtrAsync("run", "--rm", "--memory-limit", "16777216", machine.Busybox, "oom", "tail", "/dev/zero");
        Assert.Equal(137, ran.Status);
        await Command.UntilAsync(() => machine.CactlAsync("audit", "log", "--container", "oom", "--json"), log => log.Output.Contains("task.out-of-memory", StringComparison.Ordinal) || log.Output.Contains("oom", StringComparison.OrdinalIgnoreCase));
    }

    [SkippableFact]
    public async Task What_the_daemon_refuses_it_refuses_in_the_words_of_containerd()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        Assert.Contains("not found", (await machine.CtrAsync("task", "kill", "nobody")).Errors, StringComparison.Ordinal);
        Assert.Contains("must match", (await machine.CtrAsync("namespace", "create", "bad name!")).Errors, StringComparison.Ordinal);
        Assert.Contains("invalid", (await machine.CtrAsync("run", "--rm", machine.Busybox, "bad id!", "true")).Errors, StringComparison.Ordinal);
        Assert.Contains("not found", (await machine.CtrAsync("run", "--rm", "example.com/none:1", "r9", "true")).Errors, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task Both_oci_runtimes_run_containers()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        Assert.Equal("runc\n", (await machine.CtrAsync("run", "--rm", "--runc-binary", "runc", machine.Busybox, "o1", "echo", "runc")).Output);
        Skip.IfNot(File.Exists("/usr/bin/crun"), "needs crun");
        Skip.IfNot(
            !File.Exists("/sys/fs/cgroup/unified/cgroup.controllers") || File.ReadAllText("/proc/self/mounts").Contains("hugetlb", StringComparison.Ordinal),
            "crun refuses hybrid cgroups until hugetlb is mounted as v1");
        Assert.Equal("crun\n", (await machine.CtrAsync("run", "--rm", "--runc-binary", "crun", machine.Busybox, "o2", "echo", "crun")).Output);
    }
}
