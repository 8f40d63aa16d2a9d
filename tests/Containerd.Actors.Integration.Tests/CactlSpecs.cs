// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;

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
    public async Task A_container_is_removed_when_it_has_ended_though_its_client_was_killed()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        using Process client = await RunInViewAsync("vanished", "read line </release/go");
        client.Kill();
        await client.WaitForExitAsync();
        Assert.Contains("vanished", (await machine.CactlAsync("ps")).Output, StringComparison.Ordinal);
        await ReleaseAsync("vanished");
        await Command.UntilAsync(() => machine.CactlAsync("ps", "-a"), ran => !ran.Output.Contains("vanished", StringComparison.Ordinal));
        await Command.UntilAsync(() => machine.CtrAsync("snapshot", "ls"), ran => !ran.Output.Contains("vanished", StringComparison.Ordinal));
        Assert.Empty(machine.Shims("vanished"));
    }

    [SkippableFact]
    public async Task A_client_in_view_hears_the_exit_though_the_daemon_was_killed_and_the_next_one_removes_the_container()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        using Process client = await RunInViewAsync("sat-out", "read line </release/go; exit 7");
        await machine.KillDaemonAsync();
        await ReleaseAsync("sat-out");
        await machine.StartDaemonAsync();
        await client.WaitForExitAsync();
        Assert.Equal(7, client.ExitCode);
        await Command.UntilAsync(() => machine.CactlAsync("ps", "-a"), ran => !ran.Output.Contains("sat-out", StringComparison.Ordinal));
    }

    [SkippableFact]
    public async Task What_was_to_be_removed_is_removed_by_the_next_daemon_when_client_and_daemon_were_killed()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        using Process client = await RunInViewAsync("orphan", "read line </release/go");
        client.Kill();
        await client.WaitForExitAsync();
        await machine.KillDaemonAsync();
        await ReleaseAsync("orphan");
        await machine.StartDaemonAsync();
        await Command.UntilAsync(() => machine.CactlAsync("ps", "-a"), ran => !ran.Output.Contains("orphan", StringComparison.Ordinal));
        await Command.UntilAsync(() => machine.CtrAsync("snapshot", "ls"), ran => !ran.Output.Contains("orphan", StringComparison.Ordinal));
    }

    [SkippableFact]
    public async Task A_user_is_found_in_the_files_of_the_image_and_nothing_stays_mounted()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        Assert.Equal("33:44\n", (await machine.CactlAsync("run", "--rm", "-u", "web", machine.Busybox, "sh", "-c", "echo $(id -u):$(id -g)")).Output);
        Ran unknown = await machine.CactlAsync("run", "--rm", "--name", "unknown-user", "-u", "nobody", machine.Busybox, "true");
        Assert.Equal(125, unknown.Status);
        Assert.Contains("unable to find user nobody", unknown.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("unknown-user", (await machine.CtrAsync("snapshot", "ls")).Output, StringComparison.Ordinal);
        Assert.DoesNotContain(machine.Mounts(), mount => mount.Contains("tmpmounts", StringComparison.Ordinal));
    }

    [SkippableFact]
    public async Task Every_stage_of_a_run_is_told_with_its_time()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        string told = (await machine.CactlAsync("run", "--rm", "--timings", machine.Busybox, "true")).Errors;
        string[] stages = ["image", "snapshot", "container", "task create", "task start", "process", "removal", "cactl", "all"];
        Assert.Equal(stages, told.Split('\n').Skip(1).Where(line => line.Length > 0).Select(line => line[..12].TrimEnd()));
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

    private string ReleaseOf(string id) => Path.Combine(machine.Root, $"release-{id}");

    // The container waits at a named pipe, so that its end comes when the test wants it.
    private async Task<Process> RunInViewAsync(string id, string script)
    {
        Directory.CreateDirectory(ReleaseOf(id));
        await Command.RunAsync("mkfifo", Path.Combine(ReleaseOf(id), "go"));
        var client = Process.Start(new ProcessStartInfo(
            Repository.Cactl, ["--address", machine.Socket, "run", "--rm", "--name", id, "-v", $"{ReleaseOf(id)}:/release", machine.Busybox, "sh", "-c", script]))!;
        await Command.UntilAsync(() => machine.CactlAsync("ps"), ran => ran.Output.Contains(id, StringComparison.Ordinal) && ran.Output.Contains("RUNNING", StringComparison.Ordinal));
        return client;
    }

    private Task ReleaseAsync(string id) => File.WriteAllTextAsync(Path.Combine(ReleaseOf(id), "go"), "\n");
}
