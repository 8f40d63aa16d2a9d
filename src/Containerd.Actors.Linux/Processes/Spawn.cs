// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Containerd.Actors.Linux.Processes.Interop;
using Microsoft.Win32.SafeHandles;
using LinuxErrors = Containerd.Actors.Linux.Interop.LinuxErrors;

namespace Containerd.Actors.Linux.Processes;

/// <summary>One call of posix_spawn(3): prepares descriptors and arguments, calls, and lets go of them.</summary>
internal sealed unsafe class Spawn(SpawnRequest request) : IDisposable
{
    // Larger than any C library's posix_spawn_file_actions_t, posix_spawnattr_t and sigset_t.
    private const int OpaqueSize = 512;

    private readonly List<SafeHandle> _temporary = [];
    private readonly PipeEnd?[] _parentEnds = new PipeEnd?[3];

    /// <summary>Calls; returns the number of the child.</summary>
    public int Run()
    {
        var targets = new List<(int Target, SafeHandle Source)> { (0, Open(0, request.StandardInput)) };
        var output = Open(1, request.StandardOutput);
        targets.Add((1, output));
        targets.Add((2, request.StandardError == SpawnStream.SameAsOutput ? output : Open(2, request.StandardError)));
        targets.AddRange(request.Descriptors.Select(inherited => (inherited.Target, inherited.Source)));

        // Sources are copied above all targets first, so that no dup2 overwrites what a later one needs.
        var above = targets.Max(pair => pair.Target) + 1;
        var sources = targets.ConvertAll(pair => (pair.Target, Fd: CopyAbove(pair.Source, above)));

        var actions = stackalloc byte[OpaqueSize];
        var attributes = stackalloc byte[OpaqueSize];
        Check(ProcessCalls.posix_spawn_file_actions_init(actions), "posix_spawn_file_actions_init");
        Check(ProcessCalls.posix_spawnattr_init(attributes), "posix_spawnattr_init");
        var path = (byte*)Marshal.StringToCoTaskMemUTF8(request.Path);
        var arguments = Strings(request.Arguments);
        var environment = Strings(request.Environment);
        try
        {
            foreach (var (target, fd) in sources)
            {
                Check(ProcessCalls.posix_spawn_file_actions_adddup2(actions, fd, target), "posix_spawn_file_actions_adddup2");
            }

            if (request.WorkingDirectory is { } directory)
            {
                Check(ProcessCalls.posix_spawn_file_actions_addchdir_np(actions, directory), "posix_spawn_file_actions_addchdir_np");
            }

            SetAttributes(attributes);
            int pid;
            var failure = ProcessCalls.posix_spawn(&pid, path, actions, attributes, arguments, environment);
            return failure == 0 ? pid : throw LinuxErrors.Failure(failure, "posix_spawn", request.Path);
        }
        finally
        {
            Free(environment);
            Free(arguments);
            Marshal.FreeCoTaskMem((nint)path);
            _ = ProcessCalls.posix_spawnattr_destroy(attributes);
            _ = ProcessCalls.posix_spawn_file_actions_destroy(actions);
        }
    }

    /// <summary>Hands over the parent's ends of the pipes.</summary>
    public (PipeEnd? Input, PipeEnd? Output, PipeEnd? ErrorOutput) TakeParentEnds()
    {
        var ends = (_parentEnds[0], _parentEnds[1], _parentEnds[2]);
        Array.Clear(_parentEnds);
        return ends;
    }

    /// <summary>Closes the child's ends here, and the parent's if they were not taken.</summary>
    public void Dispose()
    {
        foreach (var handle in _temporary)
        {
            handle.Dispose();
        }

        foreach (var end in _parentEnds)
        {
            end?.Dispose();
        }
    }

    private static void Check(int failure, string call)
    {
        if (failure != 0)
        {
            throw LinuxErrors.Failure(failure, call);
        }
    }

    private static byte** Strings(ImmutableArray<string> strings)
    {
        var pointers = (byte**)NativeMemory.AllocZeroed((nuint)strings.Length + 1, (nuint)sizeof(byte*));
        for (var i = 0; i < strings.Length; i++)
        {
            pointers[i] = (byte*)Marshal.StringToCoTaskMemUTF8(strings[i]);
        }

        return pointers;
    }

    private static void Free(byte** strings)
    {
        for (var i = 0; strings[i] is not null; i++)
        {
            Marshal.FreeCoTaskMem((nint)strings[i]);
        }

        NativeMemory.Free(strings);
    }

    // Signals are put back to their defaults: the CLR ignores SIGPIPE, and an ignored signal survives exec.
    private void SetAttributes(void* attributes)
    {
        var signals = stackalloc byte[OpaqueSize];
        var flags = (short)(ProcessCalls.SpawnSetSigDef | ProcessCalls.SpawnSetSigMask);
        _ = ProcessCalls.sigfillset(signals);
        Check(ProcessCalls.posix_spawnattr_setsigdefault(attributes, signals), "posix_spawnattr_setsigdefault");
        _ = ProcessCalls.sigemptyset(signals);
        Check(ProcessCalls.posix_spawnattr_setsigmask(attributes, signals), "posix_spawnattr_setsigmask");
        if (request.IsGroupLeader)
        {
            flags |= ProcessCalls.SpawnSetPgroup;
            Check(ProcessCalls.posix_spawnattr_setpgroup(attributes, 0), "posix_spawnattr_setpgroup");
        }

        if (request.IsSessionLeader)
        {
            flags |= ProcessCalls.SpawnSetSid;
        }

        Check(ProcessCalls.posix_spawnattr_setflags(attributes, flags), "posix_spawnattr_setflags");
    }

    private SafeHandle Open(int number, SpawnStream stream)
    {
        if (stream.Handle is { } given)
        {
            return given;
        }

        if (stream != SpawnStream.Pipe)
        {
            var none = ProcessCalls.open("/dev/null", ProcessCalls.ORdWr | ProcessCalls.OCloExec, 0);
            return none >= 0 ? Keep(none) : throw LinuxErrors.Last("open", "/dev/null");
        }

        var ends = stackalloc int[2];
        if (ProcessCalls.pipe2(ends, ProcessCalls.OCloExec) != 0)
        {
            throw LinuxErrors.Last("pipe2");
        }

        var (parent, child) = number == 0 ? (ends[1], ends[0]) : (ends[0], ends[1]);
        var childEnd = Keep(child);
        _parentEnds[number] = new PipeEnd(new SafeFileHandle(parent, ownsHandle: true));

        // Only the parent's end: O_NONBLOCK belongs to the open file, and children expect to block.
        if (ProcessCalls.fcntl(parent, ProcessCalls.FSetFl, ProcessCalls.ONonBlock) != 0)
        {
            throw LinuxErrors.Last("fcntl");
        }

        return childEnd;
    }

    private int CopyAbove(SafeHandle source, int above)
    {
        var referenced = false;
        try
        {
            source.DangerousAddRef(ref referenced);
            var copy = ProcessCalls.fcntl((int)source.DangerousGetHandle(), ProcessCalls.FDupFdCloExec, above);
            if (copy < 0)
            {
                throw LinuxErrors.Last("fcntl");
            }

            Keep(copy);
            return copy;
        }
        finally
        {
            if (referenced)
            {
                source.DangerousRelease();
            }
        }
    }

    private SafeFileHandle Keep(int fd)
    {
        var handle = new SafeFileHandle(fd, ownsHandle: true);
        _temporary.Add(handle);
        return handle;
    }
}
