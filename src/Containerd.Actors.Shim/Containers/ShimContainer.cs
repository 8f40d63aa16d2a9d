// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using Containerd.Actors.Core.Linux;
using Containerd.Actors.Linux.Cgroups;
using Containerd.Actors.Linux.Mounts;
using Containerd.Actors.Linux.Processes;
using Containerd.Actors.Shim.Cgroups;
using Containerd.Actors.Shim.Children;
using Containerd.Actors.Shim.Events;
using Containerd.Actors.Shim.Runtimes;
using Containerd.Actors.Shim.Stdio;
using Containerd.Actors.Ttrpc;
using Containerd.Events;
using Containerd.Runc.V1;
using Containerd.Runtime.Task.V3;
using Containerd.V1.Types;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mount = Containerd.Actors.Core.Mounts.Mount;
using Status = Containerd.V1.Types.Status;
using Task = System.Threading.Tasks.Task;

namespace Containerd.Actors.Shim.Containers;

/// <summary>One container: its first process, those added to it, and what the kernel tells of its cgroup.</summary>
/// <remarks>
/// The end of the first process is told last: after that of every other, which it makes certain where the container shares the
/// process numbers of others. So whoever saw it knows that nothing of the container runs any more.
/// </remarks>
internal sealed partial class ShimContainer : IDisposable
{
    private const uint SignalKill = 9;
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<string, ShimProcess> _execs = new(StringComparer.Ordinal);
    private readonly ProcessContext _context;
    private readonly OciRuntime _runtime;
    private readonly BundleConfig _config;
    private readonly Action<string, IMessage> _tell;
    private readonly string _checkpoint;
    private ContainerCgroup? _cgroup;
    private OutOfMemoryWatch? _memory;

    private ShimContainer(CreateTaskRequest request, ProcessContext context, Action<string, IMessage> tell)
    {
        (Id, Bundle, _context, _tell, _checkpoint) = (request.Id, request.Bundle, context, tell, request.Checkpoint);
        _config = BundleConfig.Read(Bundle);
        _runtime = new OciRuntime(context.Options, context.Namespace, Id, Bundle, context.Children);
        Init = new ShimProcess(Id, new StdioRequest(request.Stdin, request.Stdout, request.Stderr, request.Terminal));
    }

    /// <summary>The container.</summary>
    public string Id { get; }

    /// <summary>Its bundle.</summary>
    public string Bundle { get; }

    /// <summary>Which OCI runtime has it.</summary>
    public Options Options => _context.Options;

    /// <summary>Its first process.</summary>
    public ShimProcess Init { get; }

    private string Rootfs => Path.Combine(Bundle, "rootfs");

    /// <summary>Mounts the root file system and makes the container; leaves nothing behind when that fails.</summary>
    /// <param name="request">What is to be made, and where.</param>
    /// <param name="options">Which OCI runtime makes it.</param>
    /// <param name="ns">The containerd namespace.</param>
    /// <param name="children">Runs the OCI runtime.</param>
    /// <param name="tell">Hears of every event: the name of the message, and the message.</param>
    public static async Task<ShimContainer> CreateAsync(
        CreateTaskRequest request, Options options, string ns, ChildProcesses children, Action<string, IMessage> tell)
    {
        ShimContainer container = new(request, new ProcessContext(ns, request.Id, options, children), tell);
        try
        {
            BundleFiles.WriteOptions(container.Bundle, options);
            Mounter.MountAll([.. request.Rootfs.Select(mount => new Mount(mount.Type, mount.Source, mount.Target, [.. mount.Options]))], container.Rootfs);
            if (request.Checkpoint.Length == 0)
            {
                await container.Init.BeginAsync(container._runtime.CreateAsync, container.Bundle, BundleFiles.InitPid, container._context).ConfigureAwait(false);
            }

            container.TellCreated(request);
            if (container.Init.Pid != 0)
            {
                container.Watch();
            }

            return container;
        }
        catch
        {
            await container._runtime.TryDeleteAsync(CancellationToken.None).ConfigureAwait(false);
            container.Dispose();
            MountTree.Unmount(container.Rootfs);
            throw;
        }
    }

    /// <summary>The first process for an empty id, else one that was added.</summary>
    /// <exception cref="TtrpcStatusException">NotFound.</exception>
    public ShimProcess Find(string execId) => execId.Length == 0 ? Init
        : _execs.TryGetValue(execId, out ShimProcess? exec) ? exec
        : throw new TtrpcStatusException(TtrpcCode.NotFound, $"process does not exist {execId}: not found");

    /// <summary>Starts a process; its event is on its way before its end can be told.</summary>
    public async Task<uint> StartAsync(string execId)
    {
        ShimProcess process = Find(execId);
        using IDisposable gate = await EnterAsync(process).ConfigureAwait(false);
        if (process.Status != Status.Created)
        {
            throw Refused($"cannot start a {Word(process.Status)} process");
        }

        if (execId.Length > 0)
        {
            await StartExecAsync(process).ConfigureAwait(false);
            _tell(nameof(TaskExecStarted), new TaskExecStarted { ContainerId = Id, ExecId = execId, Pid = process.Pid });
            return process.Pid;
        }

        if (_checkpoint.Length > 0)
        {
            await process.BeginAsync(
                (streams, console) => _runtime.RestoreAsync(streams, console, _checkpoint), Bundle, BundleFiles.InitPid, _context).ConfigureAwait(false);
            Watch();
        }
        else
        {
            await _runtime.StartAsync().ConfigureAwait(false);
        }

        process.Started();
        _tell(nameof(TaskStart), new TaskStart { ContainerId = Id, Pid = process.Pid });
        return process.Pid;
    }

    /// <summary>Adds a process, to be started later.</summary>
    public void Add(ExecProcessRequest request)
    {
        if (Init.Status is Status.Paused or Status.Stopped)
        {
            throw Refused($"cannot exec in a {Word(Init.Status)} state");
        }

        ShimProcess exec = new(request.ExecId, new StdioRequest(request.Stdin, request.Stdout, request.Stderr, request.Terminal));
        if (!_execs.TryAdd(request.ExecId, exec))
        {
            exec.Dispose();
            throw new TtrpcStatusException(TtrpcCode.AlreadyExists, $"id {request.ExecId}: already exists");
        }

        try
        {
            File.WriteAllText(SpecOf(request.ExecId), WithTerminal(request.Spec?.Value, request.Terminal));
        }
        catch (JsonException wrong)
        {
            _execs.TryRemove(request.ExecId, out _);
            throw new TtrpcStatusException(TtrpcCode.InvalidArgument, $"exec spec: {wrong.Message}: invalid argument");
        }

        _tell(nameof(TaskExecAdded), new TaskExecAdded { ContainerId = Id, ExecId = request.ExecId });
    }

    /// <summary>Sends a signal.</summary>
    public async Task KillAsync(string execId, uint signal, bool all)
    {
        ShimProcess process = Find(execId);
        if (process.Status == Status.Stopped)
        {
            throw ShimProcess.Gone;
        }

        if (process.Pid == 0)
        {
            throw new TtrpcStatusException(TtrpcCode.FailedPrecondition, "process not created: failed precondition");
        }

        // Only the runtime reaches all processes, and thaws what is to be killed.
        if (execId.Length > 0 || (!all && process.Status != Status.Paused))
        {
            process.Kill(signal);
            return;
        }

        try
        {
            await _runtime.KillAsync(signal, all).ConfigureAwait(false);
        }
        catch (TtrpcStatusException failed) when (RuntimeFailure.SaysGone(failed.Message))
        {
            throw ShimProcess.Gone;
        }
    }

    /// <summary>Ends all processes by force, frozen ones too, and waits for that; nothing happens where none runs.</summary>
    public async Task EndAsync(CancellationToken cancellation)
    {
        if (Init.Pid == 0)
        {
            return;
        }

        try
        {
            bool isFrozen = Init.Status == Status.Paused;
            await KillAsync("", SignalKill, all: false).ConfigureAwait(false);
            if (isFrozen)
            {
                await ResumeAsync().ConfigureAwait(false);
            }
        }
        catch (TtrpcStatusException)
        {
            // It has ended, or the runtime thawed it for the signal; the wait tells.
        }

        await Init.Ended.WaitAsync(cancellation).ConfigureAwait(false);
    }

    /// <summary>Freezes the container.</summary>
    public async Task PauseAsync()
    {
        using IDisposable gate = await EnterAsync(Init).ConfigureAwait(false);
        if (Init.Status != Status.Running)
        {
            throw Refused($"cannot pause a {Word(Init.Status)} container");
        }

        await _runtime.PauseAsync().ConfigureAwait(false);
        Init.Became(Status.Paused);
        _tell(nameof(TaskPaused), new TaskPaused { ContainerId = Id });
    }

    /// <summary>Thaws the container.</summary>
    public async Task ResumeAsync()
    {
        using IDisposable gate = await EnterAsync(Init).ConfigureAwait(false);
        if (Init.Status != Status.Paused)
        {
            throw Refused($"cannot resume a {Word(Init.Status)} container");
        }

        await _runtime.ResumeAsync().ConfigureAwait(false);
        Init.Became(Status.Running);
        _tell(nameof(TaskResumed), new TaskResumed { ContainerId = Id });
    }

    /// <summary>Sets limits.</summary>
    public async Task UpdateAsync(ByteString resources)
    {
        using IDisposable gate = await EnterAsync(Init).ConfigureAwait(false);
        if (Init.Status == Status.Stopped)
        {
            throw Refused("cannot update a stopped container");
        }

        string file = Path.Combine(Bundle, "resources.json");
        await File.WriteAllBytesAsync(file, resources.ToByteArray()).ConfigureAwait(false);
        await _runtime.UpdateAsync(file).ConfigureAwait(false);
        File.Delete(file);
    }

    /// <summary>Writes the state of the container into a directory.</summary>
    public async Task CheckpointAsync(string path, CheckpointOptions options)
    {
        using IDisposable gate = await EnterAsync(Init).ConfigureAwait(false);
        if (Init.Status is not (Status.Running or Status.Paused))
        {
            throw Refused($"cannot checkpoint a {Word(Init.Status)} container");
        }

        await _runtime.CheckpointAsync(options.ImagePath.Length > 0 ? options.ImagePath : path, options).ConfigureAwait(false);
    }

    /// <summary>The processes of the container, with the exec ids of those that were added.</summary>
    public IEnumerable<ProcessInfo> Processes()
    {
        Dictionary<uint, string> execs = _execs.Values.Where(exec => exec.IsAlive).ToDictionary(exec => exec.Pid, exec => exec.Id);
        foreach (uint pid in _cgroup?.Pids() ?? [])
        {
            yield return new ProcessInfo
            {
                Pid = pid,
                Info = execs.TryGetValue(pid, out string? execId)
                    ? EventPublisher.Pack("containerd.runc.v1.ProcessDetails", new ProcessDetails { ExecId = execId })
                    : null,
            };
        }
    }

    /// <summary>What the container uses.</summary>
    /// <exception cref="TtrpcStatusException">NotFound: its cgroup is gone.</exception>
    public Any Metrics() => _cgroup?.Metrics() ?? throw new TtrpcStatusException(TtrpcCode.NotFound, "cgroup does not exist: not found");

    /// <summary>What a process is at; those that were added are frozen with the first.</summary>
    public Status StatusOf(ShimProcess process) =>
        process.Status == Status.Running && Init.Status == Status.Paused ? Status.Paused : process.Status;

    /// <inheritdoc />
    public void Dispose()
    {
        _memory?.Dispose();
        foreach (ShimProcess exec in _execs.Values)
        {
            exec.Dispose();
        }

        Init.Dispose();
    }

    private async Task StartExecAsync(ShimProcess exec)
    {
        if (Init.Status is not (Status.Running or Status.Created))
        {
            throw new TtrpcStatusException(TtrpcCode.FailedPrecondition, $"container {Id} init process is not running: failed precondition");
        }

        try
        {
            await exec.BeginAsync(
                (streams, console) => _runtime.ExecAsync(streams, console, SpecOf(exec.Id), PidFileOf(exec.Id)), Bundle, PidFileOf(exec.Id), _context)
                .ConfigureAwait(false);
        }
        catch
        {
            // Whoever waits for it is released; the record stays until it is deleted.
            exec.End(Ending.Never);
            throw;
        }

        exec.Started();
        _ = FollowAsync(exec);
    }

    private void Watch()
    {
        _cgroup = ContainerCgroup.Of((int)Init.Pid);
        _memory = WatchMemory();
        _ = FollowInitAsync();
    }

    private OutOfMemoryWatch? WatchMemory()
    {
        try
        {
            return _cgroup?["memory"] is { } directory
                ? OutOfMemoryWatch.Start(directory, _cgroup.IsUnified, () => _tell(nameof(TaskOOM), new TaskOOM { ContainerId = Id }))
                : null;
        }
        catch (Exception e) when (e is LinuxException or IOException or UnauthorizedAccessException)
        {
            // A container runs as well without; what ended it is then less clear.
            Console.Error.WriteLine($"{Id}: want of memory is not watched: {e.Message}");
            return null;
        }
    }

    private void TellCreated(CreateTaskRequest request)
    {
        TaskCreate created = new()
        {
            ContainerId = Id,
            Bundle = Bundle,
            Io = new TaskIO { Stdin = request.Stdin, Stdout = request.Stdout, Stderr = request.Stderr, Terminal = request.Terminal },
            Checkpoint = request.Checkpoint,
            Pid = Init.Pid,
        };
        created.Rootfs.AddRange(request.Rootfs);
        _tell(nameof(TaskCreate), created);
    }

    private async Task FollowAsync(ShimProcess exec)
    {
        Ending ending = await exec.ExitAsync().ConfigureAwait(false);
        using IDisposable gate = await EnterAsync(exec).ConfigureAwait(false);
        Tell(exec, ending);
    }

    private async Task FollowInitAsync()
    {
        Ending ending = await Init.ExitAsync().ConfigureAwait(false);
        if (!_config.HasPidNamespace)
        {
            await KillTheRestAsync().ConfigureAwait(false);
        }

        foreach (ShimProcess exec in _execs.Values.Where(exec => exec.IsAlive))
        {
            await exec.Ended.ConfigureAwait(false);
        }

        using IDisposable gate = await EnterAsync(Init).ConfigureAwait(false);

        // Told before the end, which has the container removed and its cgroup with it.
        _memory?.Complete();
        Tell(Init, ending);
    }

    private void Tell(ShimProcess process, Ending ending)
    {
        _tell(nameof(TaskExit), new TaskExit
        {
            ContainerId = Id, Id = process.Id, Pid = process.Pid, ExitStatus = ending.Status, ExitedAt = ending.At,
        });
        process.End(ending);
    }

    private async Task KillTheRestAsync()
    {
        try
        {
            await _runtime.KillAsync(SignalKill, all: true).ConfigureAwait(false);
        }
        catch (TtrpcStatusException)
        {
            // Nothing is left, or the runtime is gone; the cgroup goes with the delete.
        }
    }

    private string SpecOf(string execId) => Path.Combine(Bundle, $"{execId}.process.json");

    private static string PidFileOf(string execId) => $"{execId}.pid";

    private static string WithTerminal(ByteString? spec, bool isTerminal)
    {
        JsonNode node = JsonNode.Parse(spec is null ? default : spec.Span) ?? throw new JsonException("it is null");
        node["terminal"] = isTerminal;
        return node.ToJsonString();
    }

    private static async Task<IDisposable> EnterAsync(ShimProcess process)
    {
        await process.Gate.WaitAsync().ConfigureAwait(false);
        return new Leaving(process.Gate);
    }

    private static TtrpcStatusException Refused(string text) => new(TtrpcCode.Unknown, text);

    private static string Word(Status status) => status switch
    {
        Status.Paused or Status.Pausing => "paused",
        Status.Stopped => "stopped",
        Status.Running => "running",
        _ => "created",
    };

    private sealed class Leaving(SemaphoreSlim gate) : IDisposable
    {
        public void Dispose() => gate.Release();
    }
}
