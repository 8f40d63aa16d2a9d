// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Executor;
using Containerd.Actors.Core.Linux;
using Containerd.Actors.Linux.Cgroups;
using Containerd.Actors.Linux.Interop;
using Containerd.Actors.Linux.Mounts;
using Containerd.Actors.Linux.Pids;
using Containerd.Actors.Linux.Processes;
using Containerd.Actors.Linux.Trees;

namespace Containerd.Actors.Linux.Executor;

/// <summary>Carries out Core's effects on this kernel.</summary>
public sealed class LinuxEffectRunner : IEffectRunner
{
    // The executor owns the retry of EINTR; without a bound a process that is signalled all the time would never answer.
    private const int InterruptsMax = 16;

    /// <inheritdoc />
    public bool Runs(Effect effect) => effect is Effects.Mount or Effects.Unmount or Effects.Kill or Effects.SignalPidFd or Effects.OpenPidFd
        or Effects.ReadCgroup or Effects.CreateDirectory or Effects.RemoveTree or Effects.Rename
        or Effects.ListPrograms or Effects.RunProgram;

    /// <inheritdoc />
    public object? Run(Effect effect, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(effect);
        for (int interrupts = 0; ; interrupts++)
        {
            try
            {
                return Once(effect, cancellationToken);
            }
            catch (LinuxException failure) when (failure.Error.Errno == LinuxErrors.EINTR && interrupts < InterruptsMax)
            {
                cancellationToken.ThrowIfCancellationRequested();
            }
        }
    }

    private static object? Once(Effect effect, CancellationToken cancellationToken)
    {
        switch (effect)
        {
            case Effects.Mount mount: Mounter.MountAll(mount.Mounts, mount.Target); return null;
            case Effects.Unmount unmount: Unmount(unmount); return null;
            case Effects.Kill kill: PidFd.Kill(kill.Pid, kill.Signal); return null;
            case Effects.SignalPidFd signal: PidFd.Signal(signal.Fd, signal.Signal); return null;
            case Effects.OpenPidFd open: return PidFd.Open(open.Pid);
            case Effects.ReadCgroup read: return CgroupFiles.Read(read.Pid);
            case Effects.CreateDirectory create: Create(create.Path, (uint)create.Mode); return null;
            case Effects.RemoveTree remove: Tree.Remove(remove.Path, cancellationToken); return null;
            case Effects.Rename rename: Rename(rename); return null;
            case Effects.ListPrograms list: return Programs.List(list.Directory);
            case Effects.RunProgram run: return Programs.Run(run, cancellationToken);
            default: throw new ArgumentOutOfRangeException(nameof(effect), effect, null);
        }
    }

    private static void Unmount(Effects.Unmount unmount)
    {
        int flags = unmount.Detach ? Mounter.Detach : 0;
        if (unmount.Recursive)
        {
            Mounter.UnmountRecursive(unmount.Target, flags);
        }
        else
        {
            Mounter.UnmountAll(unmount.Target, flags);
        }
    }

    private static void Create(string path, uint mode)
    {
        if (FileSystemCalls.mkdir(path, mode) == 0)
        {
            // mkdir(2) takes the umask away, and the umask belongs to the whole process.
            if (FileSystemCalls.chmod(path, mode) != 0)
            {
                throw LinuxErrors.Last("chmod", path);
            }

            return;
        }

        LinuxException failure = LinuxErrors.Last("mkdir", path);
        if (failure.Error.Errno == LinuxErrors.ENOENT && Path.GetDirectoryName(path) is { Length: > 1 } parent)
        {
            Create(parent, mode);
            Create(path, mode);
        }
        else if (failure.Error.Errno != LinuxErrors.EEXIST || !Directory.Exists(path))
        {
            throw failure;
        }
    }

    private static void Rename(Effects.Rename rename)
    {
        if (FileSystemCalls.rename(rename.From, rename.To) != 0)
        {
            throw LinuxErrors.Last("rename", rename.From);
        }
    }
}
