// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Integration.Tests;

/// <summary>Layers that are unpacked before those below them are there, and the lowest while it comes.</summary>
public sealed class ParallelUnpackSpecs(Machine machine) : IClassFixture<Machine>, IDisposable
{
    private const int Uppers = 3;
    private const string Namespace = "parallel";

    private readonly MemoryRegistry _registry = new(Uppers);

    private string Snapshots => Path.Combine(machine.Root, "io.containerd.snapshotter.v1.overlayfs", "snapshots");

    public void Dispose() => _registry.Dispose();

    [SkippableFact]
    public async Task A_daemon_killed_while_upper_layers_wait_for_the_lowest_that_is_extracted_as_it_comes_leaves_nothing_and_the_next_pull_is_whole()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        string[] before = Directories();
        _registry.StopsBehind = (2 << 20) + 1000;
        Task<Ran> pull = machine.CactlAsync("--namespace", Namespace, "pull", "--plain-http", _registry.Reference);
        await WaitingAsync();
        await machine.KillDaemonAsync();
        Assert.NotEqual(0, (await pull).Status);

        _registry.Reset();
        await machine.StartDaemonAsync();
        await Command.UntilAsync(() => CtrAsync("leases", "ls", "-q"), ran => ran.Output.Trim().Length == 0);
        await Command.UntilAsync(
            async () =>
            {
                await machine.CactlAsync("gc");
                return await CtrAsync("snapshots", "ls");
            },
            ran => !ran.Output.Contains("sha256:", StringComparison.Ordinal));
        Assert.Equal(before, Directories());

        Ran again = await machine.CactlAsync("--namespace", Namespace, "pull", "--plain-http", _registry.Reference);
        Assert.True(again.Status == 0, again.All);
        Assert.Equal([2L << 20], _registry.Offsets);
        await CheckWholeAsync();
        await ForgetAsync();
        Assert.Equal(before, Directories());
    }

    private Task<Ran> CtrAsync(params string[] arguments) => machine.CtrAsync(["--namespace", Namespace, .. arguments]);

    // All but the lowest are extracted, the lowest as far as it came; none is committed.
    private async Task WaitingAsync()
    {
        await _registry.Stopped.Task.WaitAsync(TimeSpan.FromSeconds(60));
        string snapshots = await Command.UntilAsync(
            () => CtrAsync("snapshots", "ls"), ran => ran.Output.Split("Active", StringSplitOptions.None).Length == Uppers + 2);
        Assert.DoesNotContain("Committed", snapshots, StringComparison.Ordinal);
        await Command.UntilAsync(
            () => Command.RunAsync("find", Snapshots, "-path", "*/fs/shared/*", "-type", "f"),
            ran => ran.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length >= Uppers);
        await Command.UntilAsync(
            () => Command.RunAsync("find", Snapshots, "-path", "*/fs/file", "-size", "+1024k"), ran => ran.Output.Trim().Length > 0);
    }

    // Each snapshot has its parent, and the directory that only the lowest layer speaks of is the same in all.
    private async Task CheckWholeAsync()
    {
        string[] committed = [.. (await CtrAsync("snapshots", "ls")).Output.Split('\n').Where(line => line.Contains("Committed", StringComparison.Ordinal))];
        Assert.Equal(Uppers + 1, committed.Length);
        Assert.Equal(Uppers, committed.Count(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length == 3));
        Ran shared = await Command.RunAsync("find", Snapshots, "-path", "*/fs/shared", "-printf", "%m %U:%G\n");
        Assert.Equal(Enumerable.Repeat("1710 12:34", Uppers + 1), shared.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    private async Task ForgetAsync()
    {
        await CtrAsync("images", "rm", "--sync", _registry.Reference);
        await Command.UntilAsync(() => CtrAsync("snapshots", "ls"), ran => !ran.Output.Contains("sha256:", StringComparison.Ordinal));
    }

    private string[] Directories() => [.. Directory.GetDirectories(Snapshots).Order(StringComparer.Ordinal)];
}
