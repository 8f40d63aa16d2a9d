// SPDX-License-Identifier: Apache-2.0

using System.Globalization;

namespace Containerd.Actors.Integration.Tests;

/// <summary>Shims that were started beforehand: few, given away, and gone with the daemon.</summary>
public sealed class WaitingShimsSpecs(Machine machine) : IClassFixture<Machine>
{
    private static string Missing => Repository.MissingShim;

    [SkippableFact]
    public async Task Runcs_name_is_served_by_our_shim_and_introspection_says_so()
    {
        Skip.IfNot(Missing.Length == 0, Missing);
        await machine.CtrAsync("run", "-d", machine.Busybox, "named", "sleep", "1000");
        int shim = Assert.Single(machine.Shims("named"));
        Assert.Equal(Repository.Shim, Path.GetFileName(new FileInfo($"/proc/{shim}/exe").LinkTarget));
        Assert.Matches($"shims +runc-v2=/.+/{Repository.Shim}", (await machine.CtrAsync("plugins", "ls", "-d", "id==task")).Output);
        await machine.RemoveContainersAsync();
    }

    [SkippableFact]
    public async Task One_that_waits_is_given_away_and_another_takes_its_place()
    {
        Skip.IfNot(Missing.Length == 0, Missing);
        await machine.CtrAsync("run", "--rm", machine.Busybox, "first", "true");
        int[] waiting = await machine.WaitingShimsAsync(2);
        await machine.CtrAsync("run", "-d", machine.Busybox, "second", "sleep", "1000");
        int given = Assert.Single(machine.Shims("second"));
        Assert.Contains(given, waiting);
        Assert.DoesNotContain(given, await machine.WaitingShimsAsync(2));
        await machine.RemoveContainersAsync();
        await Command.UntilAsync(() => machine.CtrAsync("version"), _ => !Directory.Exists($"/proc/{given}"));
    }

    [SkippableFact]
    public async Task One_that_was_ended_while_it_waited_is_not_missed()
    {
        Skip.IfNot(Missing.Length == 0, Missing);
        await machine.CtrAsync("run", "--rm", machine.Busybox, "before", "true");
        foreach (int pid in await machine.WaitingShimsAsync(2))
        {
            await Command.RunAsync("kill", "-KILL", pid.ToString(CultureInfo.InvariantCulture));
        }

        Assert.Equal("fine\n", (await machine.CtrAsync("run", "--rm", machine.Busybox, "after", "echo", "fine")).Output);
    }

    [SkippableFact]
    public async Task Those_that_wait_end_with_the_daemon_and_those_with_a_task_do_not()
    {
        Skip.IfNot(Missing.Length == 0, Missing);
        await machine.CtrAsync("run", "-d", machine.Busybox, "stays", "sleep", "1000");
        int[] waiting = await machine.WaitingShimsAsync(2);
        await machine.KillDaemonAsync();
        await Command.UntilAsync(
            () => Command.RunAsync("true"), _ => waiting.All(pid => !Directory.Exists($"/proc/{pid}")));
        int stays = Assert.Single(machine.Shims("stays"));
        await machine.StartDaemonAsync();
        Assert.Equal("in\n", (await machine.CtrAsync("task", "exec", "--exec-id", "e", "stays", "echo", "in")).Output);
        await machine.RemoveContainersAsync();
        await Command.UntilAsync(() => machine.CtrAsync("version"), _ => !Directory.Exists($"/proc/{stays}"));
    }

    [SkippableFact]
    public async Task A_name_is_free_as_soon_as_its_deletion_is_answered()
    {
        Skip.IfNot(Missing.Length == 0, Missing);
        for (int i = 0; i < 10; i++)
        {
            Assert.Equal("again\n", (await machine.CtrAsync("run", "--rm", machine.Busybox, "same", "echo", "again")).Output);
        }

        string bundles = Path.Combine(machine.State, "io.containerd.runtime.v2.task", "default");
        await Command.UntilAsync(() => machine.CtrAsync("version"), _ => !Directory.EnumerateDirectories(bundles, "*same*").Any());
        Assert.False(Directory.Exists("/run/containerd/runc/default/same"));
    }
}
