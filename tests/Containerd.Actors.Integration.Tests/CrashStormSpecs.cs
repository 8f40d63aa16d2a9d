// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Integration.Tests;

/// <summary>The daemon killed at any moment of starts, exits and deletes, again and again.</summary>
public sealed class CrashStormSpecs(Machine machine) : IClassFixture<Machine>
{
    private const int Rounds = 8;
    private const int AtOnce = 3;

    // A client whose daemon is killed may wait for an answer that never comes; it is not waited for.
    private static readonly string[] Patience = ["-s", "KILL", "20"];

    [SkippableFact]
    public async Task A_daemon_killed_in_the_middle_of_everything_leaks_no_shim_no_mount_and_no_name()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        List<Task> clients = [];
        for (int round = 0; round < Rounds; round++)
        {
            for (int i = 0; i < AtOnce; i++)
            {
                clients.Add(Command.RunAsync(
                    "timeout", [.. Patience, "ctr", "--address", machine.Socket, "run", "--rm", machine.Busybox, $"s{round}-{i}", "true"]));
            }

            // Another moment each round: as many answers as its number are awaited before the kill.
            for (int asked = 0; asked < round; asked++)
            {
                await machine.CtrAsync("container", "ls", "-q");
            }

            await machine.KillDaemonAsync();
            await machine.StartDaemonAsync();
        }

        await Task.WhenAll(clients);
        await Command.UntilAsync(
            async () =>
            {
                await machine.RemoveContainersAsync();
                return await machine.CtrAsync("container", "ls", "-q");
            },
            ran => ran.Output.Length == 0 && machine.Shims().Count == 0);
        Assert.Empty(machine.Mounts());
        string bundles = Path.Combine(machine.State, "io.containerd.runtime.v2.task", "default");
        await Command.UntilAsync(() => Command.RunAsync("find", bundles, "-mindepth", "1"), found => found.Output.Length == 0);
        Assert.Empty((await machine.CtrAsync("task", "ls", "-q")).Output);
        Assert.Equal("fine\n", (await machine.CtrAsync("run", "--rm", machine.Busybox, "s0-0", "echo", "fine")).Output);
        Assert.Equal(0, (await machine.CactlAsync("audit", "verify")).Status);
    }
}
