// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Linux;
using Containerd.Actors.Linux.Interop;
using Containerd.Actors.Protocol.Errors;
using Microsoft.Win32.SafeHandles;

namespace Containerd.Actors.Linux.Locks;

/// <summary>Keeps a second daemon from a root directory. The kernel frees it when the process ends, however it ends; flock(2).</summary>
public sealed class RootLock : IDisposable
{
    private readonly SafeFileHandle _file;

    private RootLock(SafeFileHandle file) => _file = file;

    /// <summary>Takes the lock without waiting. The file is made when missing and never removed: whoever removed it would unlock it.</summary>
    /// <exception cref="RefusedException">Another process, or another part of this one, holds it.</exception>
    /// <exception cref="LinuxException">The file cannot be opened.</exception>
    public static RootLock Acquire(string path)
    {
        SafeFileHandle file = FileSystemCalls.open(
            path, FileSystemCalls.O_RDWR | FileSystemCalls.O_CREAT | FileSystemCalls.O_CLOEXEC | FileSystemCalls.O_NOFOLLOW, 0b110_000_000);
        if (file.IsInvalid)
        {
            throw LinuxErrors.Last("open", path);
        }

        if (FileSystemCalls.flock(file, FileSystemCalls.LOCK_EX | FileSystemCalls.LOCK_NB) == 0)
        {
            return new RootLock(file);
        }

        LinuxException failure = LinuxErrors.Last("flock", path);
        file.Dispose();
        throw failure.Error.Errno == LinuxErrors.EAGAIN
            ? new RefusedException(Error.FailedPrecondition($"lock {path}: is held by another daemon on the same root"), failure)
            : failure;
    }

    /// <summary>Frees the lock.</summary>
    public void Dispose() => _file.Dispose();
}
