// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;
using Containerd.Actors.Linux.Processes.Interop;
using Microsoft.Win32.SafeHandles;
using LinuxErrors = Containerd.Actors.Linux.Interop.LinuxErrors;

namespace Containerd.Actors.Linux.Processes;

/// <summary>A child of this process, held by its pidfd so that its number can never mean another.</summary>
/// <remarks>
/// Spawned with posix_spawn(3), which shares memory until exec: nothing managed runs in the child. The child is reaped as
/// soon as it exits, whether or not anybody awaits <see cref="Exited"/>. Disposing closes the parent's ends of pipes; it
/// does not kill.
/// </remarks>
public sealed class ChildProcess : IDisposable
{
    /// <summary>Bytes of each output that <see cref="RunAsync"/> keeps unless told otherwise.</summary>
    public const int OutputBytesMax = 1024 * 1024;

    private const int SigKill = 9;
    private static readonly TimeSpan DrainTimeout = TimeSpan.FromSeconds(1);
    private readonly SafeFileHandle _pidFd;
    private readonly TaskCompletionSource<ProcessExit> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ChildProcess(int pid, SafeFileHandle pidFd, PipeEnd? input, PipeEnd? output, PipeEnd? errorOutput)
    {
        (Pid, _pidFd, StandardInput, StandardOutput, StandardError) = (pid, pidFd, input, output, errorOutput);
        _ = ReapAsync();
    }

    /// <summary>Its number; may mean another process once <see cref="Exited"/> has completed.</summary>
    public int Pid { get; }

    /// <summary>Completes when it has exited and been reaped.</summary>
    public Task<ProcessExit> Exited => _exited.Task;

    /// <summary>The writing end, if standard input is a pipe.</summary>
    public PipeEnd? StandardInput { get; }

    /// <summary>The reading end, if standard output is a pipe.</summary>
    public PipeEnd? StandardOutput { get; }

    /// <summary>The reading end, if standard error is a pipe of its own.</summary>
    public PipeEnd? StandardError { get; }

    /// <summary>Starts a process; returns when it runs the executable.</summary>
    /// <exception cref="Core.Linux.LinuxException">posix_spawn(3) failed: <c>ENOENT</c>, <c>EACCES</c> and others.</exception>
    public static ChildProcess Spawn(SpawnRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var spawn = new Spawn(request);
        try
        {
            var pid = spawn.Run();
            var pidFd = Open(pid);
            var (input, output, errorOutput) = spawn.TakeParentEnds();
            return new ChildProcess(pid, pidFd, input, output, errorOutput);
        }
        finally
        {
            spawn.Dispose();
        }
    }

    /// <summary>Holds a child that this process did not start: an orphan that fell to it as the subreaper (prctl(2)).</summary>
    /// <exception cref="Core.Linux.LinuxException">There is no such process.</exception>
    public static ChildProcess Adopt(int pid) => new(pid, Open(pid), null, null, null);

    /// <summary>Runs a process to its end: feeds it, keeps what it says, and kills it when its time is up.</summary>
    /// <param name="request">What to run; its streams are replaced by pipes, except an error output joined to the output.</param>
    /// <param name="input">Standard input; empty for an immediate end.</param>
    /// <param name="timeout">Time until it is killed.</param>
    /// <param name="outputMax">Bytes of each output that are kept; more is read and dropped.</param>
    /// <param name="cancellation">Kills it too, and throws.</param>
    /// <exception cref="Core.Linux.LinuxException">It could not be started.</exception>
    public static async Task<ProcessResult> RunAsync(
        SpawnRequest request,
        ReadOnlyMemory<byte> input,
        TimeSpan timeout,
        int outputMax = OutputBytesMax,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        using var child = Spawn(request with
        {
            StandardInput = input.IsEmpty ? SpawnStream.Null : SpawnStream.Pipe,
            StandardOutput = SpawnStream.Pipe,
            StandardError = request.StandardError == SpawnStream.SameAsOutput ? SpawnStream.SameAsOutput : SpawnStream.Pipe,
        });
        using var stop = new CancellationTokenSource();
        var feeding = FeedAsync(child.StandardInput, input, stop.Token);
        using var output = new MemoryStream();
        using var errorOutput = new MemoryStream();
        var reading = Task.WhenAll(
            DrainAsync(child.StandardOutput, output, outputMax, stop.Token),
            DrainAsync(child.StandardError, errorOutput, outputMax, stop.Token));
        var timedOut = false;
        try
        {
            await child.Exited.WaitAsync(timeout, cancellation).ConfigureAwait(false);
        }
        catch (Exception gaveUp) when (gaveUp is TimeoutException or OperationCanceledException)
        {
            child.Kill(SigKill);
            await child.Exited.ConfigureAwait(false);
            timedOut = true;
        }

        // A grandchild may hold the pipes open for ever; what the child itself wrote is there by now.
        stop.CancelAfter(DrainTimeout);
        await reading.ConfigureAwait(false);
        await stop.CancelAsync().ConfigureAwait(false);
        await feeding.ConfigureAwait(false);
        cancellation.ThrowIfCancellationRequested();
        return new ProcessResult(await child.Exited.ConfigureAwait(false), output.ToArray(), errorOutput.ToArray(), timedOut);
    }

    /// <summary>Sends a signal; false if it has exited already.</summary>
    /// <exception cref="Core.Linux.LinuxException">pidfd_send_signal(2) failed otherwise.</exception>
    public bool Kill(int signal)
    {
        var referenced = false;
        try
        {
            _pidFd.DangerousAddRef(ref referenced);
            if (ProcessCalls.syscall(ProcessCalls.SysPidFdSendSignal, _pidFd.DangerousGetHandle(), signal, 0, 0) == 0)
            {
                return true;
            }

            return Marshal.GetLastPInvokeError() == LinuxErrors.ESRCH ? false : throw LinuxErrors.Last("pidfd_send_signal");
        }
        catch (ObjectDisposedException)
        {
            return false;
        }
        finally
        {
            if (referenced)
            {
                _pidFd.DangerousRelease();
            }
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        StandardInput?.Dispose();
        StandardOutput?.Dispose();
        StandardError?.Dispose();
    }

    private static SafeFileHandle Open(int pid)
    {
        var pidFd = (int)ProcessCalls.syscall(ProcessCalls.SysPidFdOpen, pid, 0, 0, 0);
        return pidFd >= 0 ? new SafeFileHandle(pidFd, ownsHandle: true) : throw LinuxErrors.Last("pidfd_open");
    }

    private static async Task FeedAsync(PipeEnd? pipe, ReadOnlyMemory<byte> input, CancellationToken stop)
    {
        if (pipe is null)
        {
            return;
        }

        try
        {
            await pipe.WriteAsync(input, stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // It exited without having read everything.
        }
        finally
        {
            pipe.Dispose();
        }
    }

    private static async Task DrainAsync(PipeEnd? pipe, MemoryStream kept, int max, CancellationToken stop)
    {
        if (pipe is null)
        {
            return;
        }

        var buffer = new byte[4096];
        try
        {
            while (await pipe.ReadAsync(buffer, stop).ConfigureAwait(false) is > 0 and var count)
            {
                kept.Write(buffer, 0, (int)Math.Min(count, max - kept.Length));
            }
        }
        catch (OperationCanceledException)
        {
            // Others hold the pipe; see the caller.
        }
    }

    private async Task ReapAsync()
    {
        try
        {
            await Readiness.ReadableAsync(_pidFd).ConfigureAwait(false);
            _exited.TrySetResult(Reap());
        }
        catch (Core.Linux.LinuxException failure)
        {
            _exited.TrySetException(failure);
        }
        finally
        {
            _pidFd.Dispose();
        }
    }

    private unsafe ProcessExit Reap()
    {
        // siginfo_t: si_code at 8, si_status at 24 on 64-bit systems (waitid(2)).
        Span<int> information = stackalloc int[32];
        fixed (int* pointer = information)
        {
            while (ProcessCalls.waitid(ProcessCalls.PPidFd, (int)_pidFd.DangerousGetHandle(), pointer, ProcessCalls.WExited) != 0)
            {
                if (Marshal.GetLastPInvokeError() != LinuxErrors.EINTR)
                {
                    throw LinuxErrors.Last("waitid");
                }
            }
        }

        const int Exited = 1;
        return information[2] == Exited ? new ProcessExit(information[6], 0) : new ProcessExit(0, information[6]);
    }
}
