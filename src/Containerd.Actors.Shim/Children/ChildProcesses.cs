// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Containerd.Actors.Linux.Processes;

namespace Containerd.Actors.Shim.Children;

/// <summary>All children of the shim: those it started, those it took over from the OCI runtime, and orphans of containers that fell to it.</summary>
/// <remarks>
/// Each child that somebody waits for is held by descriptor and reaped by whoever holds it. The others are orphans, which nobody but
/// the subreaper can reap. While a runtime runs a zombie may still be one that is about to be taken over; orphans wait until then.
/// </remarks>
internal sealed class ChildProcesses : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    private readonly ConcurrentDictionary<int, byte> _held = new();
    private readonly Lock _gate = new();
    private PosixSignalRegistration? _signals;
    private Timer? _again;
    private int _starting;

    /// <summary>Makes this process the subreaper of everything below it, and reaps orphans from now on; prctl(2), PR_SET_CHILD_SUBREAPER.</summary>
    public void Adopt()
    {
        Subreaper.Become();
        _again = new Timer(_ => ReapOrphans(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _signals = PosixSignalRegistration.Create(PosixSignal.SIGCHLD, _ => Schedule());
    }

    /// <summary>Runs a program to its end.</summary>
    /// <exception cref="Core.Linux.LinuxException">It could not be started.</exception>
    public async Task<ProcessResult> RunAsync(SpawnRequest request, ReadOnlyMemory<byte> input, TimeSpan timeout, CancellationToken cancellation = default)
    {
        using IDisposable hold = Hold();
        return await ChildProcess.RunAsync(request, input, timeout, cancellation: cancellation).ConfigureAwait(false);
    }

    /// <summary>Starts a program that lives on.</summary>
    /// <exception cref="Core.Linux.LinuxException">It could not be started.</exception>
    public ChildProcess Spawn(SpawnRequest request)
    {
        using IDisposable hold = Hold();
        return Keep(ChildProcess.Spawn(request));
    }

    /// <summary>Takes over a process that the OCI runtime left to this one. Call it while <see cref="Hold"/> is held.</summary>
    /// <exception cref="Core.Linux.LinuxException">There is no such process.</exception>
    public ChildProcess Take(int pid) => Keep(ChildProcess.Adopt(pid));

    /// <summary>Leaves zombies alone until disposed: one of them may be taken over.</summary>
    public IDisposable Hold()
    {
        lock (_gate)
        {
            _starting++;
        }

        return new Held(this);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _signals?.Dispose();
        _again?.Dispose();
    }

    private ChildProcess Keep(ChildProcess child)
    {
        _held[child.Pid] = 0;
        _ = ForgetAsync(child);
        return child;
    }

    private async Task ForgetAsync(ChildProcess child)
    {
        try
        {
            await child.Exited.ConfigureAwait(false);
        }
        catch (Core.Linux.LinuxException)
        {
            // Somebody else reaped it; it is gone all the same.
        }

        _held.TryRemove(child.Pid, out _);
        Schedule();
    }

    private void Release()
    {
        lock (_gate)
        {
            _starting--;
        }

        Schedule();
    }

    private void Schedule()
    {
        try
        {
            _again?.Change(Pause, Timeout.InfiniteTimeSpan);
        }
        catch (ObjectDisposedException)
        {
            // The shim is ending.
        }
    }

    private void ReapOrphans()
    {
        lock (_gate)
        {
            if (_starting == 0 && !Subreaper.ReapOrphans(_held.ContainsKey))
            {
                Schedule();
            }
        }
    }

    private sealed class Held(ChildProcesses owner) : IDisposable
    {
        private int _released;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _released, 1) == 0)
            {
                owner.Release();
            }
        }
    }
}
