// SPDX-License-Identifier: Apache-2.0

using Containerd.Services.Sandbox.V1;
using Containerd.Services.Tasks.V1;
using Grpc.Core;

namespace Containerd.Actors.Integration.Tests;

/// <summary>Sandboxes in our shim: what it does beyond what every shim with the sandbox API does.</summary>
public sealed class ShimSandboxSpecs(Machine machine) : IClassFixture<Machine>
{
    private const string Runc = "io.containerd.runc.v2";
    private const string Group = "io.kubernetes.cri.sandbox-id";

    [SkippableFact]
    public async Task A_sandbox_of_runcs_name_is_in_a_shim_that_waited_and_has_no_process_unless_it_is_given_one()
    {
        Able();
        using PodClient pods = new(machine, Runc);
        await machine.CtrAsync("run", "--rm", machine.Busybox, "first", "true");
        int[] waiting = await machine.WaitingShimsAsync(2);
        Assert.Equal(0u, await pods.StartAsync("plain", hasProcess: false));
        Assert.Contains(Assert.Single(machine.Shims("plain")), waiting);

        await machine.KillDaemonAsync();
        await machine.StartDaemonAsync();
        ControllerStatusResponse status = await pods.StatusAsync("plain");
        Assert.Equal(("SANDBOX_READY", 0u, ""), (status.State, status.Pid, status.Info["tasks"]));
        AsyncUnaryCall<ControllerWaitResponse> first = pods.WaitAsync("plain");
        AsyncUnaryCall<ControllerWaitResponse> second = pods.WaitAsync("plain");
        await pods.StopAsync("plain");
        Assert.Equal((0u, 0u), ((await first).ExitStatus, (await second).ExitStatus));
        Assert.Equal((await first).ExitedAt, (await pods.StatusAsync("plain")).ExitedAt);
        await pods.StopAsync("plain");
        Assert.Single(machine.Shims("plain"));
        await pods.ShutdownAsync("plain");
        NothingIsLeftOf("plain");
    }

    [SkippableFact]
    public async Task Containers_of_the_group_are_in_its_shim_which_outlives_them()
    {
        Able();
        using PodClient pods = new(machine, Runc);
        await pods.StartAsync("group", hasProcess: false);

        // A client that knows nothing of sandboxes but the annotation, as those of containerd 1 do.
        await pods.JoinAsync("member", "", (Group, "group"));
        Assert.Empty(machine.Shims("member"));
        Assert.Equal("member", (await pods.StatusAsync("group")).Info["tasks"]);
        await pods.Daemon.Tasks.KillAsync(new KillRequest { ContainerId = "member", Signal = 9 });
        await pods.Daemon.Tasks.WaitAsync(new WaitRequest { ContainerId = "member" });
        await pods.RemoveAsync("member");
        ControllerStatusResponse status = await pods.StatusAsync("group");
        Assert.Equal(("SANDBOX_READY", ""), (status.State, status.Info["tasks"]));
        NothingIsLeftOf("member");
        await pods.ShutdownAsync("group");
        NothingIsLeftOf("group");
    }

    [SkippableFact]
    public async Task A_stop_ends_the_tasks_of_the_sandbox_whose_ends_are_kept_for_them()
    {
        Able();
        using PodClient pods = new(machine, Runc);
        uint pid = await pods.StartAsync("stopped", hasProcess: true);
        await pods.JoinAsync("runs", "stopped");
        await pods.JoinAsync("frozen", "stopped");
        await pods.Daemon.Tasks.PauseAsync(new PauseTaskRequest { ContainerId = "frozen" });
        AsyncUnaryCall<WaitResponse> ended = pods.Daemon.Tasks.WaitAsync(new WaitRequest { ContainerId = "runs" });
        AsyncUnaryCall<ControllerWaitResponse> over = pods.WaitAsync("stopped");
        await pods.StopAsync("stopped");
        Assert.Equal((137u, 137u), ((await ended).ExitStatus, (await over).ExitStatus));
        ControllerStatusResponse status = await pods.StatusAsync("stopped");
        Assert.Equal(("SANDBOX_NOTREADY", pid, "frozen,runs"), (status.State, status.Pid, status.Info["tasks"]));
        Assert.Equal(137u, (await pods.Daemon.Tasks.WaitAsync(new WaitRequest { ContainerId = "frozen" })).ExitStatus);
        await pods.RemoveAsync("runs");
        await pods.RemoveAsync("frozen");
        await pods.ShutdownAsync("stopped");
        NothingIsLeftOf("stopped", "runs", "frozen");
    }

    [SkippableFact]
    public async Task A_shutdown_takes_tasks_along_that_nobody_deleted()
    {
        Able();
        using PodClient pods = new(machine, Runc);
        await pods.StartAsync("ended", hasProcess: true);
        uint pid = await pods.JoinAsync("along", "ended");
        AsyncUnaryCall<WaitResponse> ended = pods.Daemon.Tasks.WaitAsync(new WaitRequest { ContainerId = "along" });
        await pods.ShutdownAsync("ended");
        Assert.Equal(137u, (await ended).ExitStatus);
        Assert.False(Directory.Exists($"/proc/{pid}"));
        await machine.RemoveContainersAsync();
        NothingIsLeftOf("ended", "along");
    }

    [SkippableTheory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_shim_that_is_killed_leaves_neither_its_sandbox_nor_the_tasks_in_it(bool isDaemonAway)
    {
        Able();
        using PodClient pods = new(machine, Runc);
        uint pid = await pods.StartAsync("killed", hasProcess: true);
        uint joined = await pods.JoinAsync("with", "killed");
        int shim = Assert.Single(machine.Shims("killed"));
        if (isDaemonAway)
        {
            await machine.KillDaemonAsync();
            await Command.RunAsync("kill", "-KILL", $"{shim}");
            await machine.StartDaemonAsync();
        }
        else
        {
            AsyncUnaryCall<ControllerWaitResponse> over = pods.WaitAsync("killed");
            await Command.RunAsync("kill", "-KILL", $"{shim}");
            Assert.Equal(137u, (await over).ExitStatus);
        }

        await Command.UntilAsync(
            () => Command.RunAsync("true"), _ => !Directory.Exists($"/proc/{pid}") && !Directory.Exists($"/proc/{joined}"), TimeSpan.FromSeconds(30));
        await Command.UntilAsync(() => machine.CtrAsync("task", "ls"), ran => !ran.Output.Contains("RUNNING", StringComparison.Ordinal), TimeSpan.FromSeconds(30));
        Assert.Equal("", (await pods.StatusAsync("killed")).State);
        await machine.RemoveContainersAsync();
        await pods.Daemon.Sandboxes.DeleteAsync(new StoreDeleteRequest { SandboxId = "killed" });
        NothingIsLeftOf("killed", "with");
    }

    private static void Able() => Skip.IfNot(Repository.MissingShim.Length == 0, Repository.MissingShim);

    private void NothingIsLeftOf(params string[] ids)
    {
        foreach (string id in ids)
        {
            Assert.Empty(machine.Shims(id));
            Assert.DoesNotContain(machine.Mounts(), mount => mount.Contains($"/{id}/", StringComparison.Ordinal));
            Assert.False(Directory.Exists($"/run/containerd/runc/default/{id}"), $"the OCI runtime knows {id}");
            Assert.Empty(Directory.EnumerateDirectories("/sys/fs/cgroup", $"actors-{id}", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 1 }));
        }
    }
}
