// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Containerd.Actors.Client.Connections;
using Containerd.Node.V1;
using Grpc.Core;

namespace Containerd.Actors.Integration.Tests;

/// <summary>
/// Pulls and deletes of images that share layers, side by side, with collections and kills of the daemon in between.
/// CONTAINERD_ACTORS_COLLECTION_ROUNDS sets how many rounds.
/// </summary>
public sealed class CollectionSpecs(Machine machine) : IClassFixture<Machine>
{
    private const int RoundsUsual = 24;
    private const int Clients = 5;
    private const int Steps = 2;

    // In how many of a hundred rounds the daemon is killed.
    private const int Kills = 15;

    private volatile bool _isKilled;

    [SkippableFact]
    public async Task Nothing_is_lost_and_nothing_leaks()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        int rounds = int.TryParse(
            Environment.GetEnvironmentVariable("CONTAINERD_ACTORS_COLLECTION_ROUNDS"), CultureInfo.InvariantCulture, out int asked) ? asked : RoundsUsual;
        using ContainerdConnection connection = ContainerdConnection.Open(machine.Socket, "default");
        SharedLayers images = new(machine, connection);
        await images.PushAsync();
        for (int round = 0; round < rounds; round++)
        {
            string when = $"round {round} of {rounds}";
            await RoundAsync(round, images, connection);
            if (round % 8 == 7)
            {
                await images.CheckAsync(when);
                await images.ClearAsync(when);
            }
        }

        await images.ClearAsync("the end");
        Assert.Equal("", await images.PullAsync(images.Names[3]));
        Ran ran = await machine.CactlAsync("run", "--rm", images.Names[3], "cat", "/one/f", "/three/f");
        Assert.Equal("1\n3\n", ran.Output);
        await images.ClearAsync("after the run");
    }

    private async Task RoundAsync(int seed, SharedLayers images, ContainerdConnection connection)
    {
        var random = new Random(seed);
        _isKilled = random.Next(100) < Kills;
        Task[] clients = [.. Enumerable.Range(0, Clients).Select(client => ClientAsync(new Random(unchecked((seed * 31) + client)), images, connection))];
        if (_isKilled)
        {
            // In the middle of a pull, if one gets that far.
            await Task.WhenAny(Task.WhenAll(clients), images.MomentAsync(random.Next(1, 12)));
            await machine.KillDaemonAsync();
            await machine.StartDaemonAsync();
        }

        await Task.WhenAll(clients);
    }

    private async Task ClientAsync(Random random, SharedLayers images, ContainerdConnection connection)
    {
        try
        {
            for (int step = 0; step < Steps; step++)
            {
                string name = images.Names[random.Next(images.Names.Length)];
                switch (random.Next(8))
                {
                    case < 4:
                        string error = await images.PullAsync(name);
                        Assert.True(error.Length == 0 || _isKilled, error);
                        break;
                    case < 6:
                        await images.DeleteAsync(name, sync: false);
                        break;
                    case 6:
                        await images.DeleteAsync(name, sync: true);
                        break;
                    default:
                        await connection.Node.CollectAsync(new CollectRequest { DryRun = random.Next(2) == 0 });
                        break;
                }
            }
        }
        catch (RpcException lost) when (_isKilled && lost.StatusCode is StatusCode.Unavailable or StatusCode.Cancelled or StatusCode.Internal)
        {
            // The daemon was killed under this client.
        }
    }
}
