// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Containerd.Actors.Client.Connections;

namespace Containerd.Actors.Integration.Tests;

/// <summary>Many clients at once: whatever they did, nothing is left of it.</summary>
public sealed class LoadSpecs(Machine machine) : IClassFixture<Machine>
{
    private const int Clients = 64;

    // Of pulls, runs, processes in containers and deletes; CONTAINERD_ACTORS_LOAD_STEPS sets another number for each client.
    private const int StepsUsual = 3;

    [SkippableFact]
    public async Task Sixty_four_clients_leave_nothing_behind()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        int steps = int.TryParse(
            Environment.GetEnvironmentVariable("CONTAINERD_ACTORS_LOAD_STEPS"), CultureInfo.InvariantCulture, out int asked) ? asked : StepsUsual;
        using ContainerdConnection connection = ContainerdConnection.Open(machine.Socket, "default");
        SharedLayers images = new(machine, connection);
        await images.PushAsync();

        // Once through everything first: what is made once and kept is no leak.
        await images.PullAsync(images.Names[0]);
        await RunAsync("warm-up", images, 0);
        await DetachedAsync("warm-up-too");
        await images.DeleteAsync(images.Names[0], sync: true);
        int handles = await HandlesAsync(0);
        string tree = await TreeAsync();
        int[] failures = await Task.WhenAll(Enumerable.Range(0, Clients).Select(client => ClientAsync(client, steps, images)));
        Assert.True(failures.Sum() <= Clients * steps / 2, $"{failures.Sum()} of {Clients * steps} steps found their image gone");

        foreach (string name in images.Names)
        {
            await images.DeleteAsync(name, sync: true);
        }

        Assert.Equal("", (await machine.CtrAsync("task", "ls", "-q")).Output);
        Assert.Equal("", (await machine.CtrAsync("container", "ls", "-q")).Output);
        Assert.Equal("", (await machine.CtrAsync("leases", "ls", "-q")).Output);
        await Command.UntilAsync(() => machine.CtrAsync("version"), _ => machine.Shims().Count == 0);
        Assert.DoesNotContain(machine.Mounts(), mount => mount.Contains("/rootfs", StringComparison.Ordinal) || mount.Contains("tmpmounts", StringComparison.Ordinal));
        await Command.UntilAsync(async () => new Ran(0, await TreeAsync(), ""), ran => ran.Output == tree);
        int after = await HandlesAsync(handles);
        Assert.True(after <= handles + (Clients / 4), $"{handles} open files before, {after} after");
        Assert.Equal([machine.Busybox], (await machine.CtrAsync("image", "ls", "-q")).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        await images.CheckAsync("the end");
        await images.ClearAsync("the end");
    }

    private async Task<int> ClientAsync(int client, int steps, SharedLayers images)
    {
        var random = new Random(client);
        int gone = 0;
        for (int step = 0; step < steps; step++)
        {
            string id = string.Create(CultureInfo.InvariantCulture, $"load-{client}-{step}");
            switch (random.Next(4))
            {
                case 0:
                    Assert.Equal("", await images.PullAsync(images.Names[random.Next(images.Names.Length)]));
                    break;
                case 1:
                    gone += await RunAsync(id, images, random.Next(images.Names.Length + 2)) ? 0 : 1;
                    break;
                case 2:
                    await DetachedAsync(id);
                    break;
                default:
                    await images.DeleteAsync(images.Names[random.Next(images.Names.Length)], random.Next(2) == 0);
                    break;
            }
        }

        return gone;
    }

    // An image that others delete may be gone: then it is said so, and nothing ran.
    private async Task<bool> RunAsync(string id, SharedLayers images, int number)
    {
        string image = number < images.Names.Length ? images.Names[number] : machine.Busybox;
        Ran ran = await machine.CactlAsync("run", "--rm", "--name", id, image, "echo", id);
        Assert.True(ran.Output == $"{id}\n" || (number < images.Names.Length && ran.Status != 0 && ran.Errors.Contains("not found", StringComparison.Ordinal)), ran.All);
        return ran.Status == 0;
    }

    private async Task DetachedAsync(string id)
    {
        Ran started = await machine.CactlAsync("run", "-d", "--name", id, "--log-path", Path.Combine(machine.Root, $"{id}.log"), machine.Busybox, "sleep", "1000");
        Assert.True(started.Status == 0, started.All);
        Ran inside = await machine.CactlAsync("exec", id, "echo", id);
        Assert.True(inside.Output == $"{id}\n", inside.All);
        Ran removed = await machine.CactlAsync("rm", "-f", id);
        Assert.True(removed.Status == 0, removed.All);
    }

    private async Task<string> TreeAsync() => string.Join('\n', (await machine.CactlAsync("tree")).Output.Split('\n').Order(StringComparer.Ordinal));

    // Connections of clients that are gone are closed soon after.
    private async Task<int> HandlesAsync(int wanted)
    {
        int count = 0;
        await Command.UntilAsync(
            () =>
            {
                count = Directory.GetFileSystemEntries($"/proc/{machine.DaemonPid}/fd").Length;
                return Task.FromResult(new Ran(0, $"{count}", ""));
            },
            _ => wanted == 0 || count <= wanted + (Clients / 4));
        return count;
    }
}
