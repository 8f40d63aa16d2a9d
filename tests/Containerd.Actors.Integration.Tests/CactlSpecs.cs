// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Integration.Tests;

/// <summary>Our own command line and what it shows of tree and journal.</summary>
public sealed class CactlSpecs(Machine machine) : IClassFixture<Machine>
{
    [SkippableFact]
    public async Task The_daemon_pulls_and_unpacks_and_ctr_runs_what_it_unpacked()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        Ran pulled = await machine.CactlAsync("pull", "--plain-http", machine.Layers);
        Assert.True(pulled.Status == 0, pulled.All);
        Assert.Contains("complete", (await machine.CtrAsync("image", "check")).Output, StringComparison.Ordinal);
        Ran ran = await machine.CtrAsync("run", "--rm", machine.Layers, "unpacked", "sh", "-c", "cat /data/f; test ! -e /data/g && echo gone");
        Assert.Equal("one\ngone\n", ran.Output);
        Assert.DoesNotContain("gc.expire", (await machine.CtrAsync("leases", "ls")).Output, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_reference_that_does_not_exist_is_refused_and_leaves_nothing()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        Ran refused = await machine.CactlAsync("pull", "--plain-http", machine.Busybox.Replace("busybox", "nothing", StringComparison.Ordinal));
        Assert.NotEqual(0, refused.Status);
        Assert.Contains("not found", refused.Errors, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_container_runs_in_view_and_its_status_comes_back()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        Ran ran = await machine.CactlAsync("run", "--rm", "--name", "viewed", machine.Busybox, "sh", "-c", "echo seen; exit 3");
        Assert.Equal((3, "seen\n"), (ran.Status, ran.Output));
        Assert.DoesNotContain("viewed", (await machine.CactlAsync("ps", "-a")).Output, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_detached_container_is_listed_logged_seen_in_the_tree_and_removed()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        string log = Path.Combine(machine.Root, "detached.log");
        Ran started = await machine.CactlAsync("run", "-d", "--name", "detached", "--log-path", log, machine.Busybox, "sh", "-c", "echo written; exec sleep 1000");
        Assert.True(started.Status == 0, started.All);
        Assert.Contains("RUNNING", (await machine.CactlAsync("ps")).Output, StringComparison.Ordinal);
        Assert.Contains("\"detached\"", (await machine.CactlAsync("ps", "--json")).Output, StringComparison.Ordinal);
        await Command.UntilAsync(() => machine.CactlAsync("logs", "detached"), ran => ran.Output == "written\n");
        string tree = (await machine.CactlAsync("tree")).Output;
        Assert.Contains("detached  (ContainerActor)", tree, StringComparison.Ordinal);
        Assert.Contains("task  (TaskActor)", tree, StringComparison.Ordinal);
        Assert.Equal("in\n", (await machine.CactlAsync("exec", "detached", "echo", "in")).Output);
        Assert.Equal(0, (await machine.CactlAsync("rm", "-f", "detached")).Status);
        Assert.DoesNotContain("detached", (await machine.CactlAsync("ps", "-a")).Output, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task The_journal_says_who_did_what_and_replays_what_was()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        await machine.CactlAsync("run", "--rm", "--name", "audited", machine.Busybox, "true");
        string log = (await machine.CactlAsync("audit", "log", "--container", "audited")).Output;
        foreach (string fact in new[] { "container.created", "task.created", "task.started", "task.exited", "task.deleted", "container.deleted" })
        {
            Assert.Contains(fact, log, StringComparison.Ordinal);
        }

        Assert.Contains("cactl", log, StringComparison.Ordinal);
        Assert.Contains("busybox", (await machine.CactlAsync("audit", "replay")).Output, StringComparison.Ordinal);
        Assert.Equal(0, (await machine.CactlAsync("audit", "verify")).Status);
    }
}
