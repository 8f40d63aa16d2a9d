// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;

namespace Containerd.Actors.Core.Executor;

/// <summary>The effects of mounts, processes and directories. The value of <see cref="Outcome.Done"/> is null unless said otherwise.</summary>
public static class Effects
{
    /// <summary>Mounts all in order; when one fails, those before it are taken back.</summary>
    public sealed record Mount(ImmutableArray<Mounts.Mount> Mounts, string Target) : Effect
    {
        /// <inheritdoc />
        public override LaneKind Lane => LaneKind.Mount;

        /// <inheritdoc />
        public override string Subject => Target;

        /// <inheritdoc />
        public override string Call => "mount";
    }

    /// <summary>Unmounts whatever is mounted on a directory, however often; nothing mounted is not a failure.</summary>
    /// <param name="Target">The directory.</param>
    /// <param name="Recursive">Also what is mounted below it, deepest first.</param>
    /// <param name="Detach">Takes it from sight at once and frees it when its last user is gone (MNT_DETACH).</param>
    public sealed record Unmount(string Target, bool Recursive, bool Detach = false) : Effect
    {
        /// <inheritdoc />
        public override LaneKind Lane => LaneKind.Mount;

        /// <inheritdoc />
        public override string Subject => Target;

        /// <inheritdoc />
        public override string Call => "umount2";
    }

    /// <summary>Signals a process by number. A process that has ended may have passed its number on: prefer <see cref="SignalPidFd"/>.</summary>
    public sealed record Kill(int Pid, int Signal) : Effect
    {
        /// <inheritdoc />
        public override LaneKind Lane => LaneKind.Process;

        /// <inheritdoc />
        public override string Subject => $"pid {Pid}";

        /// <inheritdoc />
        public override string Call => "kill";
    }

    /// <summary>Signals exactly the process a descriptor was opened for.</summary>
    public sealed record SignalPidFd(int Fd, int Signal) : Effect
    {
        /// <inheritdoc />
        public override LaneKind Lane => LaneKind.Process;

        /// <inheritdoc />
        public override string Subject => $"pidfd {Fd}";

        /// <inheritdoc />
        public override string Call => "pidfd_send_signal";
    }

    /// <summary>Opens a descriptor for a living process. The value is a <c>SafeHandle</c> that the receiver closes.</summary>
    public sealed record OpenPidFd(int Pid) : Effect
    {
        /// <inheritdoc />
        public override LaneKind Lane => LaneKind.Process;

        /// <inheritdoc />
        public override string Subject => $"pid {Pid}";

        /// <inheritdoc />
        public override string Call => "pidfd_open";
    }

    /// <summary>Finds the cgroups of a process and what they use. The value is the Linux project's <c>CgroupReading</c>.</summary>
    public sealed record ReadCgroup(int Pid) : Effect
    {
        /// <inheritdoc />
        public override LaneKind Lane => LaneKind.Process;

        /// <inheritdoc />
        public override string Subject => $"pid {Pid}";

        /// <inheritdoc />
        public override string Call => "read";
    }

    /// <summary>Makes a directory and its parents; one that exists stays as it is.</summary>
    /// <param name="Path">Absolute path.</param>
    /// <param name="Mode">Permission bits of what is made, whatever the umask.</param>
    public sealed record CreateDirectory(string Path, int Mode) : Effect
    {
        /// <inheritdoc />
        public override LaneKind Lane => LaneKind.Mount;

        /// <inheritdoc />
        public override string Subject => Path;

        /// <inheritdoc />
        public override string Call => "mkdir";
    }

    /// <summary>Removes a file or a directory with all in it, following no symbolic link; a missing one is not a failure.</summary>
    public sealed record RemoveTree(string Path) : Effect
    {
        /// <inheritdoc />
        public override LaneKind Lane => LaneKind.Bulk;

        /// <inheritdoc />
        public override string Subject => Path;

        /// <inheritdoc />
        public override string Call => "unlinkat";
    }

    /// <summary>Renames within one file system, replacing an empty directory or a file of that name.</summary>
    public sealed record Rename(string From, string To) : Effect
    {
        /// <inheritdoc />
        public override LaneKind Lane => LaneKind.Mount;

        /// <inheritdoc />
        public override string Subject => From;

        /// <inheritdoc />
        public override string Call => "rename";
    }

    /// <summary>The programs of a directory by name. The value is an array of absolute paths, or null when there is no such directory.</summary>
    public sealed record ListPrograms(string Directory) : Effect
    {
        /// <inheritdoc />
        public override LaneKind Lane => LaneKind.Mount;

        /// <inheritdoc />
        public override string Subject => Directory;

        /// <inheritdoc />
        public override string Call => "getdents64";
    }

    /// <summary>Runs a program to its end, or kills it when its time is up. The value is a <see cref="ProgramResult"/>.</summary>
    /// <param name="Path">Absolute path.</param>
    /// <param name="Arguments">Arguments behind the name of the program.</param>
    /// <param name="Input">Its standard input.</param>
    /// <param name="TimeLimit">Time until it is killed.</param>
    /// <param name="OutputBytesMax">Bytes of each output that are kept.</param>
    public sealed record RunProgram(
        string Path, ImmutableArray<string> Arguments, ReadOnlyMemory<byte> Input, TimeSpan TimeLimit, int OutputBytesMax) : Effect
    {
        /// <inheritdoc />
        public override LaneKind Lane => LaneKind.Bulk;

        /// <inheritdoc />
        public override string Subject => Path;

        /// <inheritdoc />
        public override string Call => "waitid";
    }
}

/// <summary>How a program ended and what it said.</summary>
/// <param name="Status">Its exit code, or 128 and the signal that ended it.</param>
/// <param name="Output">Standard output up to the bound.</param>
/// <param name="ErrorOutput">Standard error up to the bound.</param>
/// <param name="IsTimedOut">True when it was killed because its time was up.</param>
public sealed record ProgramResult(int Status, string Output, string ErrorOutput, bool IsTimedOut);
