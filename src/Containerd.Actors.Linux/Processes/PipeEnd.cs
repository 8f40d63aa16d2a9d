// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;
using Containerd.Actors.Linux.Processes.Interop;
using Microsoft.Win32.SafeHandles;
using LinuxErrors = Containerd.Actors.Linux.Interop.LinuxErrors;

namespace Containerd.Actors.Linux.Processes;

/// <summary>An end of a pipe or FIFO whose reads and writes wait without holding a thread.</summary>
/// <remarks>One reader and one writer at a time. Disposing ends a pending wait with a cancellation.</remarks>
public sealed class PipeEnd : IDisposable
{
    private readonly CancellationTokenSource _disposed = new();

    internal PipeEnd(SafeFileHandle handle)
    {
        Handle = handle;
    }

    /// <summary>The descriptor; non-blocking and close-on-exec.</summary>
    public SafeFileHandle Handle { get; }

    /// <summary>Makes a FIFO; one that exists is left as it is.</summary>
    /// <exception cref="Core.Linux.LinuxException">mkfifo(3) failed.</exception>
    public static void CreateFifo(string path, UnixFileMode mode)
    {
        if (ProcessCalls.mkfifo(path, (uint)mode) != 0 && Marshal.GetLastPInvokeError() != LinuxErrors.EEXIST)
        {
            throw LinuxErrors.Last("mkfifo", path);
        }
    }

    /// <summary>
    /// Opens a FIFO for reading and writing at once, which never waits for the other side and never sees an end
    /// (fifo(7)).
    /// </summary>
    /// <exception cref="Core.Linux.LinuxException">open(2) failed.</exception>
    public static PipeEnd OpenFifo(string path)
    {
        var fd = ProcessCalls.open(path, ProcessCalls.ORdWr | ProcessCalls.ONonBlock | ProcessCalls.OCloExec, 0);
        return fd >= 0 ? new PipeEnd(new SafeFileHandle(fd, ownsHandle: true)) : throw LinuxErrors.Last("open", path);
    }

    /// <summary>Reads what is there, waiting for the first byte; zero at the end.</summary>
    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellation = default)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(_disposed.Token, cancellation);
        while (true)
        {
            var count = Read(buffer.Span);
            if (count >= 0)
            {
                return (int)count;
            }

            if (-count == LinuxErrors.EAGAIN)
            {
                await Readiness.ReadableAsync(Handle, either.Token).ConfigureAwait(false);
            }
            else if (-count != LinuxErrors.EINTR)
            {
                throw LinuxErrors.Failure((int)-count, "read");
            }
        }
    }

    /// <summary>Waits for what <see cref="TryRead"/> reads.</summary>
    /// <exception cref="OperationCanceledException">It is disposed.</exception>
    internal Task ReadableAsync() => Readiness.ReadableAsync(Handle, _disposed.Token);

    /// <summary>Reads what is there; zero if that is nothing or it is disposed.</summary>
    internal int TryRead(Span<byte> buffer) => _disposed.IsCancellationRequested ? 0 : (int)Math.Max(Read(buffer), 0);

    /// <summary>Writes all bytes.</summary>
    /// <returns>False if nobody reads any more; the rest is lost then.</returns>
    public async ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellation = default)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(_disposed.Token, cancellation);
        while (bytes.Length > 0)
        {
            var count = Write(bytes.Span);
            if (count >= 0)
            {
                bytes = bytes[(int)count..];
            }
            else if (-count == LinuxErrors.EAGAIN)
            {
                await Readiness.WritableAsync(Handle, either.Token).ConfigureAwait(false);
            }
            else if (-count == LinuxErrors.EPIPE)
            {
                return false;
            }
            else if (-count != LinuxErrors.EINTR)
            {
                throw LinuxErrors.Failure((int)-count, "write");
            }
        }

        return true;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        if (!_disposed.IsCancellationRequested)
        {
            _disposed.Cancel();
            Handle.Dispose();
        }
    }

    private unsafe nint Read(Span<byte> buffer)
    {
        fixed (byte* pointer = buffer)
        {
            return Call(pointer, buffer.Length, write: false);
        }
    }

    private unsafe nint Write(ReadOnlySpan<byte> bytes)
    {
        fixed (byte* pointer = bytes)
        {
            return Call(pointer, bytes.Length, write: true);
        }
    }

    // The count, or the negative error number.
    private unsafe nint Call(byte* pointer, int length, bool write)
    {
        var referenced = false;
        try
        {
            Handle.DangerousAddRef(ref referenced);
            var fd = (int)Handle.DangerousGetHandle();
            var count = write ? ProcessCalls.write(fd, pointer, length) : ProcessCalls.read(fd, pointer, length);
            return count >= 0 ? count : -Marshal.GetLastPInvokeError();
        }
        finally
        {
            if (referenced)
            {
                Handle.DangerousRelease();
            }
        }
    }
}
