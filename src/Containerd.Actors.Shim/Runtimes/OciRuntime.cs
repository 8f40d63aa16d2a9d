// SPDX-License-Identifier: Apache-2.0

using System.Collections;
using System.Globalization;
using Containerd.Actors.Linux.Processes;
using Containerd.Actors.Shim.Children;
using Containerd.Actors.Shim.Stdio;
using Containerd.Actors.Ttrpc;
using Containerd.Runc.V1;

namespace Containerd.Actors.Shim.Runtimes;

/// <summary>The OCI runtime of one container: <c>runc</c>, <c>crun</c> or another with the same command line.</summary>
/// <param name="options">Which executable, and its root.</param>
/// <param name="ns">The containerd namespace, below which the runtime keeps its state.</param>
/// <param name="id">The container.</param>
/// <param name="bundle">The bundle.</param>
/// <param name="children">Runs it.</param>
internal sealed class OciRuntime(Options options, string ns, string id, string bundle, ChildProcesses children)
{
    private const string DefaultRoot = "/run/containerd/runc";
    private const string DefaultBinary = "runc";
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);
    private readonly string _log = Path.Combine(bundle, "log.json");

    /// <summary>Absolute path of the executable that the options name; <c>PATH</c> is searched.</summary>
    /// <exception cref="FormatException">There is none.</exception>
    public static string BinaryOf(Options options)
    {
        string name = options.BinaryName.Length > 0 ? options.BinaryName : DefaultBinary;
        if (name.Contains('/', StringComparison.Ordinal))
        {
            return name;
        }

        string search = Environment.GetEnvironmentVariable("PATH") ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        return search.Split(':').Select(directory => Path.Combine(directory, name)).FirstOrDefault(File.Exists)
            ?? throw new FormatException($"exec: \"{name}\": executable file not found in $PATH");
    }

    /// <summary>Makes the container, its first process waiting; the number of that is in the pid file.</summary>
    public Task CreateAsync(ProcessStreams streams, string? consoleSocket) => RunOnStreamsAsync(
        "create",
        streams,
        ["create", "--bundle", bundle, "--pid-file", PidFile(Containers.BundleFiles.InitPid), .. Console(consoleSocket), .. IsolationFlags, id]);

    /// <summary>Makes and starts the container from a checkpoint.</summary>
    public Task RestoreAsync(ProcessStreams streams, string? consoleSocket, string image) => RunOnStreamsAsync(
        "restore",
        streams,
        [
            "restore", "--detach", "--image-path", image, "--work-path", WorkPath, "--bundle", bundle,
            "--pid-file", PidFile(Containers.BundleFiles.InitPid), .. Console(consoleSocket), .. IsolationFlags, id,
        ]);

    /// <summary>Lets the first process go.</summary>
    public Task StartAsync() => RunAsync("start", ["start", id]);

    /// <summary>Starts a further process.</summary>
    public Task ExecAsync(ProcessStreams streams, string? consoleSocket, string processFile, string pidFile) => RunOnStreamsAsync(
        "exec", streams, ["exec", "--detach", "--process", processFile, "--pid-file", PidFile(pidFile), .. Console(consoleSocket), id]);

    /// <summary>Sends a signal to the first process, or to all.</summary>
    public Task KillAsync(uint signal, bool all) =>
        RunAsync("kill", ["kill", .. all ? ["--all"] : Array.Empty<string>(), id, signal.ToString(CultureInfo.InvariantCulture)]);

    /// <summary>Freezes all processes.</summary>
    public Task PauseAsync() => RunAsync("pause", ["pause", id]);

    /// <summary>Thaws them.</summary>
    public Task ResumeAsync() => RunAsync("resume", ["resume", id]);

    /// <summary>Sets limits from a file in JSON.</summary>
    public Task UpdateAsync(string resourcesFile) => RunAsync("update", ["update", "--resources", resourcesFile, id]);

    /// <summary>Writes the state of the container into a directory.</summary>
    public Task CheckpointAsync(string path, CheckpointOptions checkpoint) => RunAsync(
        "checkpoint",
        [
            "checkpoint", "--image-path", path, "--work-path", checkpoint.WorkPath.Length > 0 ? checkpoint.WorkPath : WorkPath,
            .. Flag(!checkpoint.Exit, "--leave-running"), .. Flag(checkpoint.OpenTcp, "--tcp-established"),
            .. Flag(checkpoint.ExternalUnixSockets, "--ext-unix-sk"), .. Flag(checkpoint.Terminal, "--shell-job"),
            .. Flag(checkpoint.FileLocks, "--file-locks"),
            .. checkpoint.CgroupsMode.Length > 0 ? ["--manage-cgroups-mode", checkpoint.CgroupsMode] : Array.Empty<string>(),
            .. checkpoint.EmptyNamespaces.SelectMany(name => new[] { "--empty-ns", name }), id,
        ]);

    /// <summary>Removes the container; one that is gone is no failure.</summary>
    public async Task DeleteAsync(bool force)
    {
        try
        {
            await RunAsync("delete", ["delete", .. Flag(force, "--force"), id]).ConfigureAwait(false);
        }
        catch (TtrpcStatusException gone) when (RuntimeFailure.SaysMissing(gone.Message))
        {
            // Removed before, perhaps by a delete that was interrupted.
        }
    }

    /// <summary>Removes the container with force, whatever it says.</summary>
    public async Task TryDeleteAsync(CancellationToken cancellation)
    {
        try
        {
            await children.RunAsync(Request(["delete", "--force", id]), default, Limit, cancellation).ConfigureAwait(false);
        }
        catch (FormatException)
        {
            // Without the executable there is no container of it either.
        }
    }

    private string WorkPath => options.CriuWorkPath.Length > 0 ? options.CriuWorkPath : Path.Combine(bundle, "work");

    private string[] IsolationFlags =>
        [.. Flag(options.NoPivotRoot, "--no-pivot"), .. Flag(options.NoNewKeyring, "--no-new-keyring")];

    private static string[] Flag(bool isSet, string flag) => isSet ? [flag] : [];

    private static string[] Console(string? socket) => socket is null ? [] : ["--console-socket", socket];

    private string PidFile(string name) => Path.Combine(bundle, name);

    private async Task RunAsync(string verb, string[] arguments)
    {
        ProcessResult result = await children.RunAsync(Request(arguments), default, Limit).ConfigureAwait(false);
        ThrowIfFailed(verb, result);
    }

    // The container's processes inherit the streams, so the runtime's own words are in its log only.
    private async Task RunOnStreamsAsync(string verb, ProcessStreams streams, string[] arguments)
    {
        using ChildProcess child = children.Spawn(Request(arguments) with
        {
            StandardInput = streams.Input, StandardOutput = streams.Output, StandardError = streams.Error,
        });
        try
        {
            ProcessExit exit = await child.Exited.WaitAsync(Limit).ConfigureAwait(false);
            ThrowIfFailed(verb, new ProcessResult(exit, [], [], false));
        }
        catch (TimeoutException)
        {
            child.Kill(9);
            throw new TtrpcStatusException(TtrpcCode.DeadlineExceeded, $"OCI runtime {verb} not done after {Limit.TotalSeconds:0} s");
        }
    }

    private void ThrowIfFailed(string verb, ProcessResult result)
    {
        if (!result.Exit.IsSuccess)
        {
            throw new TtrpcStatusException(TtrpcCode.Unknown, $"OCI runtime {verb} failed: {RuntimeFailure.Text(_log, result)}");
        }
    }

    private SpawnRequest Request(string[] arguments)
    {
        string binary = BinaryOf(options);
        return new SpawnRequest
        {
            Path = binary,
            Arguments =
            [
                binary, "--root", Path.Combine(options.Root.Length > 0 ? options.Root : DefaultRoot, ns), "--log", _log, "--log-format", "json",
                .. Flag(options.SystemdCgroup, "--systemd-cgroup"), .. arguments,
            ],
            Environment = [.. Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(variable => $"{variable.Key}={variable.Value}")],
            WorkingDirectory = bundle,
        };
    }
}
