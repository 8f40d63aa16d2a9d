// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Diagnostics;

namespace Containerd.Actors.PodShim;

/// <summary>What the shim holds: the sandbox's process and those of the tasks that joined it.</summary>
internal sealed class Pod
{
    private readonly TaskCompletionSource _shutDown = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ConcurrentDictionary<string, Held> Processes { get; } = new();

    public Held? Sandbox { get; set; }

    public DateTime CreatedAt { get; set; }

    public bool RefusesStart { get; set; }

    public Task ShutDown => _shutDown.Task;

    public void End()
    {
        foreach (Held held in Processes.Values.Append(Sandbox).OfType<Held>())
        {
            held.Kill();
        }

        _shutDown.TrySetResult();
    }
}

/// <summary>A process that is described, runs, or ended.</summary>
internal sealed class Held(string[] arguments)
{
    private readonly TaskCompletionSource<(uint Status, DateTime At)> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Process? _process;

    public uint Pid { get; private set; }

    public bool IsRunning => _process is not null && !_ended.Task.IsCompleted;

    public bool HasEnded => _ended.Task.IsCompleted;

    public Task<(uint Status, DateTime At)> Ended => _ended.Task;

    public uint Start()
    {
        _process = Process.Start(new ProcessStartInfo(arguments[0], arguments[1..]))!;
        Pid = (uint)_process.Id;
        _ = WatchAsync(_process);
        return Pid;
    }

    public void Kill()
    {
        try
        {
            _process?.Kill();
        }
        catch (InvalidOperationException)
        {
            // It ended by itself.
        }

        if (_process is null)
        {
            _ended.TrySetResult((137, DateTime.UtcNow));
        }
    }

    private async Task WatchAsync(Process process)
    {
        await process.WaitForExitAsync();
        _ended.TrySetResult(((uint)process.ExitCode, DateTime.UtcNow));
    }
}
