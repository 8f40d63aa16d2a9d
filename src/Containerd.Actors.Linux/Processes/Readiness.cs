// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Containerd.Actors.Linux.Processes.Interop;
using LinuxErrors = Containerd.Actors.Linux.Interop.LinuxErrors;

namespace Containerd.Actors.Linux.Processes;

/// <summary>Waits until descriptors are ready, all of them on one thread of its own (epoll(7)).</summary>
/// <remarks>One wait per descriptor at a time: epoll knows a descriptor once.</remarks>
internal static class Readiness
{
    private const int EventsAtOnce = 64;

    // The kernel packs struct epoll_event on x86-64 only.
    private static readonly bool Packed = RuntimeInformation.ProcessArchitecture == Architecture.X64;
    private static readonly int EventSize = Packed ? 12 : 16;
    private static readonly int TokenOffset = Packed ? 4 : 8;
    private static readonly ConcurrentDictionary<long, Waiting> Waits = new();
    private static readonly Lazy<int> Epoll = new(Start);
    private static long _lastToken;

    /// <summary>Completes when reading would not block: data, an end, or an exited process behind a pidfd.</summary>
    public static Task ReadableAsync(SafeHandle handle, CancellationToken cancellation = default) =>
        WaitAsync(handle, ProcessCalls.EpollIn, cancellation);

    /// <summary>Completes when writing would not block, or would fail.</summary>
    public static Task WritableAsync(SafeHandle handle, CancellationToken cancellation = default) =>
        WaitAsync(handle, ProcessCalls.EpollOut, cancellation);

    private static async Task WaitAsync(SafeHandle handle, uint interest, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var referenced = false;
        var token = Interlocked.Increment(ref _lastToken);
        try
        {
            // The reference keeps the number from being closed, and given to another file, during the wait.
            handle.DangerousAddRef(ref referenced);
            var fd = (int)handle.DangerousGetHandle();
            var waiting = new Waiting(fd);
            Waits[token] = waiting;
            Change(ProcessCalls.EpollCtlAdd, fd, interest | ProcessCalls.EpollOneShot, token);
            try
            {
                await waiting.Ready.Task.WaitAsync(cancellation).ConfigureAwait(false);
            }
            finally
            {
                Change(ProcessCalls.EpollCtlDel, fd, 0, token);
            }
        }
        finally
        {
            Waits.TryRemove(token, out _);
            if (referenced)
            {
                handle.DangerousRelease();
            }
        }
    }

    private static unsafe void Change(int operation, int fd, uint events, long token)
    {
        Span<byte> change = stackalloc byte[16];
        change.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(change, events);
        BinaryPrimitives.WriteInt64LittleEndian(change[TokenOffset..], token);
        fixed (byte* pointer = change)
        {
            if (ProcessCalls.epoll_ctl(Epoll.Value, operation, fd, pointer) != 0)
            {
                throw LinuxErrors.Last("epoll_ctl");
            }
        }
    }

    private static int Start()
    {
        var epoll = ProcessCalls.epoll_create1(ProcessCalls.OCloExec);
        if (epoll < 0)
        {
            throw LinuxErrors.Last("epoll_create1");
        }

        new Thread(() => Run(epoll), 256 * 1024) { IsBackground = true, Name = "descriptor readiness" }.Start();
        return epoll;
    }

    private static unsafe void Run(int epoll)
    {
        var events = stackalloc byte[EventsAtOnce * 16];
        while (true)
        {
            var count = ProcessCalls.epoll_wait(epoll, events, EventsAtOnce, -1);
            if (count < 0 && Marshal.GetLastPInvokeError() != LinuxErrors.EINTR)
            {
                throw LinuxErrors.Last("epoll_wait");
            }

            for (var i = 0; i < count; i++)
            {
                var token = BinaryPrimitives.ReadInt64LittleEndian(
                    new ReadOnlySpan<byte>(events + (i * EventSize) + TokenOffset, sizeof(long)));
                if (Waits.TryGetValue(token, out var waiting))
                {
                    waiting.Ready.TrySetResult();
                }
            }
        }
    }

    private sealed record Waiting(int Fd)
    {
        public TaskCompletionSource Ready { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
