// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Integration.Tests;

/// <summary>What is left when the daemon is killed, stopped or replaced.</summary>
public sealed class CrashSpecs(Machine machine) : IClassFixture<Machine>
{
    [SkippableFact]
    public async Task A_container_outlives_its_daemon_and_is_found_again()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        await machine.CtrAsync("run", "-d", machine.Busybox, "alive", "sleep", "1000");
        string before = (await machine.CtrAsync("task", "ls")).Output;
        await machine.KillDaemonAsync();
        await machine.StartDaemonAsync();
        Assert.Equal(before, (await machine.CtrAsync("task", "ls")).Output);
        Assert.Equal("in\n", (await machine.CtrAsync("task", "exec", "--exec-id", "after", "alive", "echo", "in")).Output);
        await EndAsync("alive");
    }

    [SkippableFact]
    public async Task An_exit_while_the_daemon_is_down_is_delivered_with_its_status()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        string release = Path.Combine(Path.GetTempPath(), $"release-{Guid.NewGuid():N}");
        Directory.CreateDirectory(release);
        await machine.CtrAsync(
            "run", "-d", "--mount", $"type=bind,src={release},dst=/release,options=rbind:rw", machine.Busybox, "short", "sh", "-c", "until [ -e /release/go ]; do sleep 0.05; done; exit 42");
        await machine.KillDaemonAsync();
        await File.WriteAllTextAsync(Path.Combine(release, "go"), "");
        await machine.StartDaemonAsync();
        await Command.UntilAsync(() => machine.CtrAsync("task", "ls"), ran => ran.Output.Contains("STOPPED", StringComparison.Ordinal));
        Assert.Contains("42", (await machine.CtrAsync("task", "rm", "short")).All, StringComparison.Ordinal);
        await machine.CtrAsync("container", "rm", "short");
        Directory.Delete(release, recursive: true);
    }

    [SkippableFact]
    public async Task A_frozen_shim_holds_up_nobody()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        await machine.CtrAsync("run", "-d", machine.Busybox, "frozen", "sleep", "1000");
        await machine.CtrAsync("run", "-d", machine.Busybox, "beside", "sleep", "1000");
        string shim = $"{machine.Shims("frozen").Single()}";
        await Command.RunAsync("kill", "-STOP", shim);
        try
        {
            await machine.KillDaemonAsync();
            await machine.StartDaemonAsync();
            Assert.Equal("in\n", (await machine.CtrAsync("task", "exec", "--exec-id", "e", "beside", "echo", "in")).Output);
        }
        finally
        {
            await Command.RunAsync("kill", "-CONT", shim);
        }

        await Command.UntilAsync(() => machine.CtrAsync("task", "exec", "--exec-id", $"t{Guid.NewGuid():N}", "frozen", "true"), ran => ran.Status == 0);
        await EndAsync("frozen");
        await EndAsync("beside");
    }

    [SkippableFact]
    public async Task A_polite_stop_leaves_containers_alone_and_a_second_daemon_is_refused()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        await machine.CtrAsync("run", "-d", machine.Busybox, "stays", "sleep", "1000");
        Ran second = await Command.RunAsync(Repository.Daemon, "--address", machine.Socket + "2", "--root", machine.Root, "--state", machine.State);
        Assert.Equal(1, second.Status);
        Assert.Contains("another daemon", second.Errors, StringComparison.Ordinal);
        Assert.Equal(0, await machine.StopDaemonAsync());
        Assert.Single(machine.Shims("stays"));
        await machine.StartDaemonAsync();
        Assert.Contains("RUNNING", (await machine.CtrAsync("task", "ls")).Output, StringComparison.Ordinal);
        await EndAsync("stays");
    }

    [SkippableFact]
    public async Task An_unknown_key_is_refused_by_name()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        string file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, "containerd.no-such-key = 1\n");
        Ran refused = await Command.RunAsync(Repository.Daemon, "--config", file, "--root", machine.Root + "-none");
        File.Delete(file);
        Assert.Equal(1, refused.Status);
        Assert.Contains("unknown key containerd.no-such-key", refused.Errors, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task Settings_that_lie_where_it_was_started_are_none_of_its_own()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        string strange = Path.Combine(machine.WorkingDirectory, "appsettings.json");
        await File.WriteAllTextAsync(strange, "no JSON at all");
        await machine.KillDaemonAsync();
        await machine.StartDaemonAsync();
        File.Delete(strange);
        Assert.Equal(0, (await machine.CtrAsync("version")).Status);
    }

    private async Task EndAsync(string id)
    {
        await machine.CtrAsync("task", "kill", "-s", "KILL", id);
        await Command.UntilAsync(() => machine.CtrAsync("task", "ls"), ran => ran.Output.Split('\n').Any(line => line.StartsWith(id + " ", StringComparison.Ordinal) && line.Contains("STOPPED", StringComparison.Ordinal)));
        await machine.CtrAsync("task", "rm", id);
        await machine.CtrAsync("container", "rm", id);
        await Command.UntilAsync(() => machine.CtrAsync("container", "ls", "-q"), _ => machine.Shims(id).Count == 0);
        Assert.DoesNotContain(machine.Mounts(), mount => mount.Contains($"/{id}/", StringComparison.Ordinal));
    }
}
