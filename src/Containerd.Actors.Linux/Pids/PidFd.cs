// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Linux;
using Containerd.Actors.Linux.Interop;
using Microsoft.Win32.SafeHandles;
using Tmds.Linux;

namespace Containerd.Actors.Linux.Pids;

/// <summary>Processes by descriptor, which unlike a number never comes to mean another process; pidfd_open(2).</summary>
public static class PidFd
{
    /// <summary>A descriptor for a living process.</summary>
    /// <exception cref="LinuxException">ESRCH when there is no such process.</exception>
    public static SafeFileHandle Open(int pid)
    {
        SafeFileHandle handle = ProcessCalls.pidfd_open(pid, 0);
        return handle.IsInvalid ? throw LinuxErrors.Last("pidfd_open", $"pid {pid}") : handle;
    }

    /// <summary>Signals the process; 0 only asks whether it is there.</summary>
    /// <exception cref="LinuxException">ESRCH when it has ended and was reaped.</exception>
    public static void Signal(int pidfd, int signal)
    {
        if (ProcessCalls.pidfd_send_signal(pidfd, signal, 0, 0) != 0)
        {
            throw LinuxErrors.Last("pidfd_send_signal", $"pidfd {pidfd}");
        }
    }

    /// <summary>Signals a process by number; see kill(2) for zero and negative ones.</summary>
    /// <exception cref="LinuxException">ESRCH when there is none.</exception>
    public static void Kill(int pid, int signal)
    {
        if (LibC.kill(pid, signal) != 0)
        {
            throw LinuxErrors.Last("kill", $"pid {pid}");
        }
    }

    /// <summary>True when the process has ended, as a zombie too. Waits at most <paramref name="timeout"/>; call it on a thread of your own.</summary>
    /// <exception cref="LinuxException">The descriptor is not open.</exception>
    public static unsafe bool HasExited(SafeFileHandle pidfd, TimeSpan timeout)
    {
        ArgumentNullException.ThrowIfNull(pidfd);
        var poll = new ProcessCalls.PollFd { Fd = (int)pidfd.DangerousGetHandle(), Events = ProcessCalls.POLLIN };
        int ready = ProcessCalls.poll(&poll, 1, (int)timeout.TotalMilliseconds);
        return ready < 0 ? throw LinuxErrors.Last("poll", "pidfd") : ready > 0;
    }

    /// <summary>The wait status of a process that ended and was reaped by whoever; null while it lives, is a zombie, or the kernel is older than 6.15.</summary>
    public static unsafe int? ExitStatus(SafeFileHandle pidfd)
    {
        ArgumentNullException.ThrowIfNull(pidfd);
        var status = new ProcessCalls.PidFdStatus { Mask = ProcessCalls.PIDFD_INFO_EXIT };
        return ProcessCalls.ioctl(pidfd, ProcessCalls.PIDFD_GET_INFO, &status) == 0 && (status.Mask & ProcessCalls.PIDFD_INFO_EXIT) != 0
            ? status.ExitCode
            : null;
    }
}
