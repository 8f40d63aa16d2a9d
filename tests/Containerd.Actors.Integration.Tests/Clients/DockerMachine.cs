// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;

namespace Containerd.Actors.Integration.Tests.Clients;

/// <summary>dockerd with a daemon of ours below it, and its client.</summary>
public abstract class DockerMachine(params string[] flags) : IAsyncLifetime
{
    private readonly string _work = Path.Combine(Path.GetTempPath(), $"containerd-actors-{Guid.NewGuid():N}"[..30]);
    private readonly Machine _machine = new();
    private Process? _dockerd;

    /// <summary>Why dockerd cannot be tested here; empty when it can.</summary>
    internal string Missing { get; private set; } = "";

    internal string Image => _machine.Busybox;

    internal string Layers => _machine.Layers;

    internal Machine Below => _machine;

    public async Task InitializeAsync()
    {
        Missing = Repository.Missing.Length > 0 ? Repository.Missing : await LackAsync();
        if (Missing.Length > 0)
        {
            return;
        }

        await _machine.InitializeAsync();
        Directory.CreateDirectory(_work);
        string[] arguments =
        [
            "--containerd", _machine.Socket, "--data-root", $"{_work}/data", "--exec-root", $"{_work}/exec", "-p", $"{_work}/pid", "-H", $"unix://{_work}/docker.sock",
            "--bridge=none", "--iptables=false", .. flags,
        ];
        _dockerd = Process.Start(new ProcessStartInfo(Programs.Dockerd!, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        _dockerd.BeginErrorReadLine();
        _dockerd.BeginOutputReadLine();
        await Command.UntilAsync(() => DockerAsync("version"), ran => ran.Status == 0, TimeSpan.FromSeconds(60));
        Ran pulled = await DockerAsync("pull", Image);
        Assert.True(pulled.Status == 0, pulled.All);
    }

    public async Task DisposeAsync()
    {
        if (_dockerd is not null)
        {
            string[] left = (await DockerAsync("ps", "-aq")).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
            if (left.Length > 0)
            {
                await DockerAsync(["rm", "-f", .. left]);
            }

            await Command.RunAsync("kill", "-TERM", $"{_dockerd.Id}");
            await EndedAsync(_dockerd);
            foreach (string mount in File.ReadLines("/proc/self/mounts").Select(line => line.Split(' ')[1])
                .Where(path => path.StartsWith(_work + "/", StringComparison.Ordinal)).OrderDescending(StringComparer.Ordinal).ToArray())
            {
                await Command.RunAsync("umount", "-l", mount);
            }

            _dockerd.Dispose();
        }

        await _machine.DisposeAsync();
        if (Directory.Exists(_work))
        {
            Directory.Delete(_work, recursive: true);
        }
    }

    internal Task<Ran> DockerAsync(params string[] arguments) => DockerAsync("", arguments);

    internal Task<Ran> DockerAsync(string input, string[] arguments) =>
        Command.RunAsync(input, Programs.Docker!, ["--config", $"{_work}/config", "-H", $"unix://{_work}/docker.sock", .. arguments]);

    private static async Task EndedAsync(Process process)
    {
        using CancellationTokenSource impatience = new(TimeSpan.FromSeconds(20));
        try
        {
            await process.WaitForExitAsync(impatience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            await process.WaitForExitAsync();
        }
    }

    private async Task<string> LackAsync()
    {
        if (Programs.Dockerd is null || Programs.Docker is null)
        {
            return "needs dockerd and docker";
        }

        string help = (await Command.RunAsync(Programs.Dockerd, "--help")).Output;
        return flags.Where(flag => !help.Contains(flag.Split('=')[0].Split(' ')[0], StringComparison.Ordinal)).Select(flag => $"needs a dockerd with {flag}").FirstOrDefault() ?? "";
    }
}

/// <summary>dockerd with images of its own.</summary>
public sealed class GraphDriverDocker : DockerMachine;

/// <summary>dockerd with its images in the daemon below.</summary>
public sealed class ImageStoreDocker() : DockerMachine("--feature=containerd-snapshotter=true");
