// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using Containerd.Actors.Benchmarks.Images;
using Containerd.Actors.Client.Connections;
using Containerd.Actors.TestKit.Daemons;
using Containerd.Actors.TestKit.Programs;

namespace Containerd.Actors.Benchmarks.Sides;

/// <summary>One of the daemons that are compared: on a file system of its own, with a connection that is kept and its containers.</summary>
internal sealed class Side : IAsyncDisposable
{
    private readonly ServedDaemon _daemon;
    private readonly Leftovers _leftovers;
    private ScratchFileSystem? _files;

    private Side(string name, ServedDaemon daemon, string ns, MadeImage busybox, string ociRuntime)
    {
        Name = name;
        Namespace = ns;
        OciRuntime = ociRuntime;
        Busybox = busybox.Reference;
        _daemon = daemon;
        _leftovers = new Leftovers(daemon, ns);
        Connection = ContainerdConnection.Open(daemon.Address, ns);
        Containers = new Containers(Connection, busybox, ociRuntime);
        Population = new Population(Containers);
    }

    /// <summary>As it is called in tables.</summary>
    public string Name { get; }

    /// <summary>The containerd namespace in which everything is done.</summary>
    public string Namespace { get; }

    /// <summary>The OCI runtime that its containers are run by.</summary>
    public string OciRuntime { get; }

    /// <summary>The image of which its containers are made.</summary>
    public string Busybox { get; }

    /// <summary>The connection that is kept; it finds a daemon that was started again.</summary>
    public ContainerdConnection Connection { get; }

    /// <summary>Makes and removes containers.</summary>
    public Containers Containers { get; }

    /// <summary>Its idle containers.</summary>
    public Population Population { get; }

    /// <summary>The daemon's process.</summary>
    public int Pid => _daemon.Pid;

    /// <summary>Whether it is this product's.</summary>
    public bool IsOurs => _daemon is ActorsDaemon;

    /// <summary>Starts a daemon that has nothing and has it pull the image of which containers are made.</summary>
    /// <exception cref="InvalidOperationException">It cannot run on this machine, or the pull failed.</exception>
    public static async Task<Side> StartAsync(string name, ServedDaemon daemon, string ns, MadeImage busybox, string ociRuntime)
    {
        if (daemon.Missing.Length > 0)
        {
            throw new InvalidOperationException($"{name}: {daemon.Missing}");
        }

        Side side = new(name, daemon, ns, busybox, ociRuntime);
        try
        {
            side._files = await ScratchFileSystem.MountAsync(daemon.Root);
            await daemon.InitializeAsync();
            await side.CtrAsync(CancellationToken.None, "image", "pull", "--plain-http", busybox.Reference);
            return side;
        }
        catch
        {
            await side.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs ctr against it.</summary>
    /// <exception cref="InvalidOperationException">It failed.</exception>
    public Task CtrAsync(CancellationToken cancellation, params string[] arguments) => RunAsync("ctr", arguments, cancellation);

    /// <summary>Runs cactl against it.</summary>
    /// <exception cref="InvalidOperationException">It failed.</exception>
    public Task CactlAsync(CancellationToken cancellation, params string[] arguments) =>
        RunAsync(Path.Combine(ActorsDaemon.Binaries, "cactl"), arguments, cancellation);

    /// <summary>Starts the daemon that was stopped or killed; how long it took to its first answer.</summary>
    public async Task<TimeSpan> StartAgainAsync()
    {
        long started = Stopwatch.GetTimestamp();
        await _daemon.StartAsync();
        return Stopwatch.GetElapsedTime(started);
    }

    /// <summary>Asks the daemon to stop and waits until it has.</summary>
    public Task StopAsync() => _daemon.StopAsync();

    /// <summary>Ends the daemon as a power cut would; its containers run on.</summary>
    public Task KillAsync() => _daemon.KillAsync();

    /// <summary>Its shims that hold a container of the benchmark.</summary>
    public IReadOnlyList<int> Shims() => ShimProcesses.Of(_daemon.Address, Namespace);

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        Connection.Dispose();
        await _daemon.KillAsync();
        await _leftovers.RemoveAsync();
        _files?.Dispose();
        await _daemon.DisposeAsync();
    }

    private async Task RunAsync(string program, string[] arguments, CancellationToken cancellation)
    {
        Ran ran = await Command.RunAsync("", program, ["--address", _daemon.Address, "--namespace", Namespace, .. arguments], cancellation);
        if (ran.Status != 0)
        {
            throw new InvalidOperationException($"{Name}: {Path.GetFileName(program)} {string.Join(' ', arguments)}: {ran.All.Trim()}");
        }
    }
}
