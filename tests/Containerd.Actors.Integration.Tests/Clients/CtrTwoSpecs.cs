// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Integration.Tests.Clients;

/// <summary>The ctr of containerd 2 where the machine has one.</summary>
public sealed class CtrTwoSpecs(Machine machine) : IClassFixture<Machine>
{
    private static string Missing => Repository.Missing.Length > 0 ? Repository.Missing : Programs.Ctr2 is null ? "needs a ctr of containerd 2" : "";

    [SkippableFact]
    public async Task An_image_that_the_client_pulls_is_tagged_by_the_daemon_and_run()
    {
        Skip.IfNot(Missing.Length == 0, Missing);
        await OkAsync("image", "pull", "--local", "--plain-http", machine.Layers);
        await OkAsync("image", "tag", machine.Layers, "example.com/layers:2");
        Assert.Contains("example.com/layers:2", await OkAsync("image", "ls", "-q"), StringComparison.Ordinal);
        Assert.Equal("one\n", await OkAsync("run", "--rm", "example.com/layers:2", "two", "cat", "/data/f"));
        await OkAsync("image", "rm", "--sync", "example.com/layers:2");
    }

    [SkippableFact]
    public async Task Its_view_of_a_container_is_the_same()
    {
        Skip.IfNot(Missing.Length == 0, Missing);
        await OkAsync("run", "-d", machine.Busybox, "seen", "sleep", "1000");
        Assert.Equal("in\n", await OkAsync("task", "exec", "--exec-id", "e", "seen", "echo", "in"));
        Assert.Contains("seen", await OkAsync("container", "ls"), StringComparison.Ordinal);
        Assert.Contains("RUNNING", await OkAsync("task", "ls"), StringComparison.Ordinal);
        Assert.Contains("memory", await OkAsync("task", "metrics", "seen"), StringComparison.Ordinal);
        await OkAsync("task", "kill", "-s", "KILL", "seen");
        await Command.UntilAsync(() => CtrAsync("task", "ls"), ran => ran.Output.Contains("STOPPED", StringComparison.Ordinal));
        await CtrAsync("task", "rm", "seen");
        await OkAsync("container", "rm", "seen");
    }

    [SkippableFact]
    public async Task What_the_daemon_is_made_of_is_listed()
    {
        Skip.IfNot(Missing.Length == 0, Missing);
        Assert.Matches("io.containerd.transfer.v1 +local +.*ok", await OkAsync("plugins", "ls"));
        Assert.Matches("io.containerd.streaming.v1 +manager +.*ok", await OkAsync("plugins", "ls"));
        Assert.Contains("Server:", await OkAsync("version"), StringComparison.Ordinal);
    }

    private Task<Ran> CtrAsync(params string[] arguments) => Command.RunAsync(Programs.Ctr2!, ["--address", machine.Socket, .. arguments]);

    private async Task<string> OkAsync(params string[] arguments)
    {
        Ran ran = await CtrAsync(arguments);
        Assert.True(ran.Status == 0, $"ctr {string.Join(' ', arguments)}: {ran.All}");
        return ran.Output;
    }
}
