// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Globalization;
using Containerd.Actors.Benchmarks.Images;
using Containerd.Actors.Linux.Processes;
using Containerd.Actors.Oci.Runtime;

namespace Containerd.Actors.Benchmarks.Sides;

/// <summary>The OCI runtime that both sides use, and what it takes by itself.</summary>
internal sealed class OciRuntime
{
    private static readonly string[] Known = ["crun", "runc"];
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly string _path;
    private readonly string _bundle;
    private readonly string _namespace;

    private OciRuntime(string name, string path, string bundle, string ns) => (Name, _path, _bundle, _namespace) = (name, path, bundle, ns);

    /// <summary>Its name, as clients give it to a daemon.</summary>
    public string Name { get; }

    /// <summary>The wished one, or the first that can run a container on this machine; a bundle for that is made in the directory.</summary>
    /// <exception cref="InvalidOperationException">None can.</exception>
    public static async Task<OciRuntime> ChooseAsync(string? wished, string directory, string ns, CancellationToken cancellation)
    {
        string bundle = Directory.CreateDirectory(Path.Combine(directory, "bundle")).FullName;
        Busybox.WriteTo(Path.Combine(bundle, "rootfs"));
        List<string> refusals = [];
        foreach (string name in wished is null ? Known : [wished])
        {
            string? path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
            if (path is null)
            {
                refusals.Add($"{name} is not installed");
                continue;
            }

            OciRuntime runtime = new(name, path, bundle, ns);
            try
            {
                await runtime.RunAsync(cancellation);
                return runtime;
            }
            catch (InvalidOperationException refused)
            {
                refusals.Add(refused.Message);
            }
        }

        throw new InvalidOperationException(string.Join("; ", refusals));
    }

    /// <summary>Creates, starts and deletes a container that ends at once; how long those three took, without the wait for its end.</summary>
    public async Task<TimeSpan> RunAsync(CancellationToken cancellation)
    {
        string id = $"bare-{Guid.NewGuid():N}";
        RuntimeSpec spec = RuntimeSpecBuilder.Build(_namespace, id, new RuntimeSpecOptions { Args = ["true"] });
        await File.WriteAllBytesAsync(Path.Combine(_bundle, "config.json"), spec.ToJson(), cancellation);
        string pidFile = Path.Combine(_bundle, "pid");
        long started = Stopwatch.GetTimestamp();
        await DoAsync(cancellation, "create", "--bundle", _bundle, "--pid-file", pidFile, id);
        try
        {
            await DoAsync(cancellation, "start", id);
            TimeSpan taken = Stopwatch.GetElapsedTime(started);
            await EndAsync(int.Parse(await File.ReadAllTextAsync(pidFile, cancellation), CultureInfo.InvariantCulture), cancellation);
            started = Stopwatch.GetTimestamp();
            await DoAsync(cancellation, "delete", id);
            return taken + Stopwatch.GetElapsedTime(started);
        }
        catch
        {
            await DoAsync(CancellationToken.None, "delete", "--force", id);
            throw;
        }
    }

    // The process is nobody's child here: it has ended when it is gone, or only its status is left.
    private static async Task EndAsync(int pid, CancellationToken cancellation)
    {
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(1));
        long started = Stopwatch.GetTimestamp();
        while (IsAlive(pid) && Stopwatch.GetElapsedTime(started) < Patience)
        {
            await timer.WaitForNextTickAsync(cancellation);
        }
    }

    private static bool IsAlive(int pid)
    {
        try
        {
            string state = File.ReadAllText($"/proc/{pid}/stat");
            return state[state.LastIndexOf(')') + 2] is not ('Z' or 'X');
        }
        catch (IOException)
        {
            return false;
        }
    }

    // The container's process inherits the streams: pipes would stay open for as long as it runs.
    private async Task DoAsync(CancellationToken cancellation, params string[] arguments)
    {
        string errors = Path.Combine(_bundle, "errors");
        using ChildProcess child = ChildProcess.Spawn(new SpawnRequest
        {
            Path = _path,
            Arguments = [Name, "--log", errors, .. arguments],
            Environment = [$"PATH={Environment.GetEnvironmentVariable("PATH")}"],
        });
        ProcessExit exit = await child.Exited.WaitAsync(Patience, cancellation);
        if (!exit.IsSuccess)
        {
            string said = File.Exists(errors) ? await File.ReadAllTextAsync(errors, CancellationToken.None) : "";
            throw new InvalidOperationException($"{Name} {arguments[0]}: {exit} {said.Trim()}");
        }
    }
}
