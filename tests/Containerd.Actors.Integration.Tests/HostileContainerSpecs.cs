// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using Containerd.Actors.Client.Connections;
using Containerd.Actors.Client.Lifecycles;
using Containerd.Actors.Client.Values;
using Containerd.Actors.Oci.Runtime;
using Containerd.Actors.TestKit.Daemons;
using Containerd.Services.Tasks.V1;

namespace Containerd.Actors.Integration.Tests;

/// <summary>Containers and clients that do what shims die of: they end, and how they ended is told.</summary>
public sealed class HostileContainerSpecs(Machine machine) : IClassFixture<Machine>
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private static string Missing => Repository.MissingShim;

    [SkippableFact]
    public async Task Output_that_nobody_reads_stops_neither_another_process_nor_the_end()
    {
        Skip.IfNot(Missing.Length == 0, Missing);
        using Process deaf = Process.Start(
            new ProcessStartInfo("ctr", ["--address", machine.Socket, "run", machine.Busybox, "full", "yes"]) { RedirectStandardOutput = true })!;
        try
        {
            await Command.UntilAsync(() => machine.CtrAsync("task", "ls"), ran => ran.Output.Contains("RUNNING", StringComparison.Ordinal));
            Assert.Equal("fine\n", (await machine.CtrAsync("task", "exec", "--exec-id", "e", "full", "echo", "fine")).Output);
            await machine.CtrAsync("task", "kill", "-s", "KILL", "full");
            await Command.UntilAsync(() => machine.CtrAsync("task", "ls"), ran => ran.Output.Contains("STOPPED", StringComparison.Ordinal));
        }
        finally
        {
            deaf.Kill();
        }

        await machine.RemoveContainersAsync();
    }

    [SkippableFact]
    public async Task Streams_that_the_client_never_opens_hold_up_nothing()
    {
        Skip.IfNot(Missing.Length == 0, Missing);
        await machine.CtrAsync("run", "-d", machine.Busybox, "unopened", "sleep", "1000");
        string fifo = Path.Combine(machine.WorkingDirectory, "never-opened");
        await Command.RunAsync("mkfifo", fifo);
        using ContainerdConnection daemon = ContainerdConnection.Open(machine.Socket, ContainerdConnection.DefaultNamespace);
        Assert.Equal(3, await ExecAsync(daemon, new ExecProcessRequest { ContainerId = "unopened", Stdin = fifo, Stdout = fifo, Stderr = fifo }, "exit 3"));
        await machine.RemoveContainersAsync();
    }

    [SkippableFact]
    public async Task A_container_that_forks_all_it_can_is_killed_and_removed()
    {
        Skip.IfNot(Missing.Length == 0, Missing);
        await machine.CtrAsync("run", "-d", machine.Busybox, "bomb", "sleep", "1000");
        using ContainerdConnection daemon = ContainerdConnection.Open(machine.Socket, ContainerdConnection.DefaultNamespace);
        await daemon.Tasks.UpdateAsync(new UpdateTaskRequest
        {
            ContainerId = "bomb",
            Resources = TypedAny.OfJson("types.containerd.io/opencontainers/runtime-spec/1/LinuxResources", """{"pids":{"limit":48}}"""u8),
        });
        await machine.CtrAsync("task", "exec", "-d", "--exec-id", "e", "bomb", "sh", "-c", "while true; do sleep 1000 & done");
        await Command.UntilAsync(() => machine.CtrAsync("task", "ps", "bomb"), ran => ran.Output.Split('\n').Length > 40);
        TaskProcess process = new(daemon, "bomb");
        Task<ProcessExit> exit = process.WaitAsync(CancellationToken.None);
        await process.KillAsync(9, all: true, CancellationToken.None);
        Assert.Equal(137, (await exit.WaitAsync(Patience)).Status);
        await machine.RemoveContainersAsync();
        Assert.Empty(machine.Shims("bomb"));
    }

    [SkippableFact]
    public async Task A_thousand_processes_one_after_the_other_and_eight_at_once_leave_nothing_in_their_shim()
    {
        Skip.IfNot(Missing.Length == 0, Missing);
        await machine.CtrAsync("run", "-d", machine.Busybox, "many", "sleep", "1000");
        using ContainerdConnection daemon = ContainerdConnection.Open(machine.Socket, ContainerdConnection.DefaultNamespace);
        await ExecAsync(daemon, new ExecProcessRequest { ContainerId = "many" }, "exit 0");
        string shim = $"/proc/{Assert.Single(machine.Shims("many"))}";
        int open = Directory.GetFiles($"{shim}/fd").Length;
        await Parallel.ForAsync(0, 1000, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, _) => Assert.Equal(
            i % 256, await ExecAsync(daemon, new ExecProcessRequest { ContainerId = "many" }, $"exit {i % 256}")));
        Assert.InRange(Directory.GetFiles($"{shim}/fd").Length, 1, open + 8);
        Assert.Equal(2, (await machine.CtrAsync("task", "ps", "many")).Output.TrimEnd().Split('\n').Length);
        await machine.RemoveContainersAsync();
    }

    private static async Task<int> ExecAsync(ContainerdConnection daemon, ExecProcessRequest request, string script)
    {
        request.Spec = TypedAny.OfJson(
            TypedAny.ProcessUrl, new ProcessSpec { Args = ["sh", "-c", script], Cwd = "/", Env = ["PATH=/bin"] }.ToJson());
        using CancellationTokenSource impatience = new(Patience);
        return await Execs.RunAsync(daemon, request, impatience.Token);
    }
}
