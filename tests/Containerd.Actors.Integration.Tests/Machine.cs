// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Globalization;
using Containerd.Actors.TestKit.Daemons;
using Containerd.Actors.TestKit.Registries;

namespace Containerd.Actors.Integration.Tests;

/// <summary>A registry with images and a daemon with directories of its own, and the clients that drive them.</summary>
public sealed class Machine : IAsyncLifetime
{
    private readonly string _work = Path.Combine(Path.GetTempPath(), $"containerd-actors-{Guid.NewGuid():N}"[..30]);
    private DockerRegistry? _registry;
    private Process? _daemon;

    public string Socket => Path.Combine(_work, "c.sock");

    public string WorkingDirectory => _work;

    public string Root => Path.Combine(_work, "root");

    public string State => Path.Combine(_work, "state");

    public string Busybox => $"{_registry!.Host}/library/busybox:latest";

    public string Layers => $"{_registry!.Host}/library/layers:latest";

    public int DaemonPid => _daemon!.Id;

    public async Task InitializeAsync()
    {
        if (Repository.Missing.Length > 0)
        {
            return;
        }

        Directory.CreateDirectory(_work);
        _registry = await DockerRegistry.StartAsync(_work);
        await PushImagesAsync();
        await StartDaemonAsync();
        Ran pulled = await CtrAsync("image", "pull", "--plain-http", Busybox);
        Assert.True(pulled.Status == 0, pulled.All);
    }

    public async Task DisposeAsync()
    {
        if (_daemon is not null)
        {
            await EndContainersAsync();
            _daemon.Kill();
            await _daemon.WaitForExitAsync();
            foreach (int shim in Shims())
            {
                using Process process = Process.GetProcessById(shim);
                process.Kill();
                await process.WaitForExitAsync();
            }

            foreach (string mount in Mounts().OrderDescending(StringComparer.Ordinal))
            {
                await Command.RunAsync("umount", "-l", mount);
            }
        }

        if (_registry is not null)
        {
            await _registry.DisposeAsync();
        }

        // What was killed with a shim may still write there for a moment.
        await Command.UntilAsync(() => Command.RunAsync("rm", "-rf", "--one-file-system", _work), ran => ran.Status == 0);
    }

    internal Task<Ran> CtrAsync(params string[] arguments) => Command.RunAsync("ctr", ["--address", Socket, .. arguments]);

    internal Task<Ran> CtrAsync(string input, string[] arguments) => Command.RunAsync(input, "ctr", ["--address", Socket, .. arguments]);

    internal Task<Ran> CactlAsync(params string[] arguments) => Command.RunAsync(Repository.Cactl, ["--address", Socket, .. arguments]);

    internal async Task StartDaemonAsync(params string[] more)
    {
        _daemon = Process.Start(new ProcessStartInfo(Repository.Daemon, ["--address", Socket, "--root", Root, "--state", State, "--log-level", "error", .. more])
        {
            WorkingDirectory = WorkingDirectory,
        })!;
        await Command.UntilAsync(() => CtrAsync("version"), ran => ran.Status == 0, TimeSpan.FromSeconds(60));
    }

    /// <summary>Ends the daemon as a power cut would.</summary>
    internal async Task KillDaemonAsync()
    {
        _daemon!.Kill();
        await _daemon.WaitForExitAsync();
    }

    /// <summary>Asks the daemon to stop; returns its exit status.</summary>
    internal async Task<int> StopDaemonAsync()
    {
        await Command.RunAsync("kill", "-TERM", DaemonPid.ToString(CultureInfo.InvariantCulture));
        using CancellationTokenSource impatience = new(TimeSpan.FromSeconds(20));
        await _daemon!.WaitForExitAsync(impatience.Token);
        return _daemon.ExitCode;
    }

    /// <summary>Shims of this daemon, of one container if named.</summary>
    internal IReadOnlyList<int> Shims(string? id = null) => ShimProcesses.Of(Socket, id is null ? [] : [id]);

    /// <summary>Our shims that wait for a bundle, once they are so many. They show neither namespace nor id; they are children of the daemon.</summary>
    internal async Task<int[]> WaitingShimsAsync(int count)
    {
        int[] found = [];
        await Command.UntilAsync(
            () => Command.RunAsync("pgrep", "-P", DaemonPid.ToString(CultureInfo.InvariantCulture), "-f", $"{Repository.Shim} -room .* await"),
            ran => (found = [.. ran.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(pid => int.Parse(pid, CultureInfo.InvariantCulture))]).Length == count);
        return found;
    }

    /// <summary>Mounts below the directories of this daemon.</summary>
    internal List<string> Mounts() =>
        [.. File.ReadLines("/proc/self/mounts").Select(line => line.Split(' ')[1]).Where(path => path.StartsWith(_work + "/", StringComparison.Ordinal))];

    /// <summary>Ends all tasks and removes all containers that let themselves be.</summary>
    internal async Task RemoveContainersAsync()
    {
        await EndContainersAsync();
        foreach (string id in await NamesAsync("container"))
        {
            await CtrAsync("container", "rm", id);
        }
    }

    private async Task EndContainersAsync()
    {
        foreach (string id in await NamesAsync("task"))
        {
            await CtrAsync("task", "kill", "-s", "9", id);
            await CtrAsync("task", "rm", "-f", id);
        }
    }

    private async Task<string[]> NamesAsync(string kind) =>
        (await CtrAsync(kind, "ls", "-q")).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private async Task PushImagesAsync()
    {
        string script = $"""
            set -e; cd {_work}; mkdir -p r/bin r/tmp r/etc r/proc r/sys r/dev; cp /bin/busybox r/bin/
            printf 'root:x:0:0::/:/bin/sh\nweb:x:33:44::/:/bin/sh\n' >r/etc/passwd
            for a in $(/bin/busybox --list); do [ $a = busybox ] || ln -s busybox r/bin/$a; done
            umoci init --layout l; umoci new --image l:busybox; umoci insert --image l:busybox r /
            umoci config --image l:busybox --config.cmd /bin/sh --config.env PATH=/bin
            umoci tag --image l:busybox layers; mkdir d; echo one >d/f; echo two >d/g; umoci insert --image l:layers d /data
            umoci insert --image l:layers --whiteout /data/g
            for i in busybox layers; do skopeo copy -q --dest-tls-verify=false oci:l:$i docker://{_registry!.Host}/library/$i:latest; done
            """;
        Ran made = await Command.RunAsync("bash", "-c", script);
        Assert.True(made.Status == 0, made.All);
    }
}
