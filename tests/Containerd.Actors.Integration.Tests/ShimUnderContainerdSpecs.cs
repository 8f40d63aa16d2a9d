// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;

namespace Containerd.Actors.Integration.Tests;

/// <summary>The shim below this daemon and below Debian's containerd: the same client sees the same.</summary>
public sealed class ShimUnderContainerdSpecs(Machine machine) : IClassFixture<Machine>, IAsyncLifetime
{
    private const string Runtime = "io.containerd.actors.v1";
    private readonly string _work = Directory.CreateTempSubdirectory("cd-").FullName;
    private Process? _containerd;

    private string Socket => Path.Combine(_work, "c.sock");

    public async Task InitializeAsync()
    {
        if (Repository.Missing.Length > 0)
        {
            return;
        }

        string configuration = Path.Combine(_work, "config.toml");
        await File.WriteAllTextAsync(configuration, $"""
            version = 2
            root = "{_work}/root"
            state = "{_work}/state"
            disabled_plugins = ["io.containerd.grpc.v1.cri"]
            [grpc]
              address = "{Socket}"
            [ttrpc]
              address = "{Socket}.ttrpc"
            """);
        ProcessStartInfo start = new("containerd", ["--config", configuration, "--log-level", "error"]) { RedirectStandardError = true };
        start.Environment["PATH"] = $"{Repository.Binaries}:{Environment.GetEnvironmentVariable("PATH")}";
        _containerd = Process.Start(start)!;
        _containerd.BeginErrorReadLine();
        await Command.UntilAsync(() => CtrAsync(true, "version"), ran => ran.Status == 0, TimeSpan.FromSeconds(20));
        Ran pulled = await CtrAsync(true, "image", "pull", "--plain-http", machine.Busybox);
        Assert.True(pulled.Status == 0, pulled.All);
    }

    public async Task DisposeAsync()
    {
        if (_containerd is not null)
        {
            foreach (string id in (await CtrAsync(true, "task", "ls", "-q")).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                await CtrAsync(true, "task", "rm", "-f", id);
            }

            _containerd.Kill();
            await _containerd.WaitForExitAsync();
            _containerd.Dispose();
        }

        Directory.Delete(_work, recursive: true);
    }

    [SkippableTheory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_container_lives_its_whole_life(bool isContainerd)
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        Assert.Equal("hello\n", (await RunAsync(isContainerd, "s1", "echo", "hello")).Output);
        Assert.Equal(7, (await RunAsync(isContainerd, "s2", "sh", "-c", "exit 7")).Status);
        Assert.Contains("no such file", (await RunAsync(isContainerd, "s3", "/no/such/command")).All, StringComparison.Ordinal);

        await CtrAsync(isContainerd, "run", "-d", "--runtime", Runtime, machine.Busybox, "long", "sleep", "1000");
        Assert.Equal("in\n", (await CtrAsync(isContainerd, "task", "exec", "--exec-id", "e1", "long", "echo", "in")).Output);
        Assert.Equal(9, (await CtrAsync(isContainerd, "task", "exec", "--exec-id", "e2", "long", "sh", "-c", "exit 9")).Status);
        Assert.Contains("memory", (await CtrAsync(isContainerd, "task", "metrics", "long")).Output, StringComparison.Ordinal);
        await CtrAsync(isContainerd, "task", "pause", "long");
        Assert.Contains("PAUSED", (await CtrAsync(isContainerd, "task", "ls")).Output, StringComparison.Ordinal);
        await CtrAsync(isContainerd, "task", "resume", "long");
        await CtrAsync(isContainerd, "task", "kill", "-s", "KILL", "long");
        await Command.UntilAsync(() => CtrAsync(isContainerd, "task", "ls"), ran => ran.Output.Contains("STOPPED", StringComparison.Ordinal));
        Assert.Contains("137", (await CtrAsync(isContainerd, "task", "rm", "long")).All, StringComparison.Ordinal);
        Assert.Equal(0, (await CtrAsync(isContainerd, "container", "rm", "long")).Status);
    }

    [SkippableTheory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Standard_input_and_a_terminal_reach_the_container(bool isContainerd)
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        string[] run = ["--address", Address(isContainerd), "run", "--rm", "--runtime", Runtime];
        Assert.Equal("5\n", (await Command.RunAsync("hello", "ctr", [.. run, machine.Busybox, "i1", "sh", "-c", "head -c 5 | wc -c"])).Output);
        Ran terminal = await Command.RunAsync(
            "script", "-qec", $"ctr {string.Join(' ', run)} -t {machine.Busybox} i2 sh -c \"test -t 0 && echo is a tty\"", "/dev/null");
        Assert.Contains("is a tty", terminal.Output, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Want_of_memory_ends_the_container(bool isContainerd)
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        Ran ran = await CtrAsync(
            isContainerd, "run", "--rm", "--runtime", Runtime, "--memory-limit", "16777216", machine.Busybox, "m1", "tail", "/dev/zero");
        Assert.Equal(137, ran.Status);
    }

    private string Address(bool isContainerd) => isContainerd ? Socket : machine.Socket;

    private Task<Ran> CtrAsync(bool isContainerd, params string[] arguments) =>
        Command.RunAsync("ctr", ["--address", Address(isContainerd), .. arguments]);

    private Task<Ran> RunAsync(bool isContainerd, string id, params string[] command) =>
        CtrAsync(isContainerd, ["run", "--rm", "--runtime", Runtime, machine.Busybox, id, .. command]);
}
