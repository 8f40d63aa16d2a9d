// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace Containerd.Actors.Linux.Processes;

/// <summary>Where one of a child's three standard streams goes.</summary>
public sealed class SpawnStream
{
    private SpawnStream(SafeHandle? handle)
    {
        Handle = handle;
    }

    /// <summary><c>/dev/null</c>.</summary>
    public static SpawnStream Null { get; } = new(null);

    /// <summary>A new pipe, whose other end the parent gets.</summary>
    public static SpawnStream Pipe { get; } = new(null);

    /// <summary>For standard error: the same file as standard output.</summary>
    public static SpawnStream SameAsOutput { get; } = new(null);

    internal SafeHandle? Handle { get; }

    /// <summary>An open descriptor; it stays the caller's.</summary>
    public static SpawnStream To(SafeHandle handle) => new(handle);
}

/// <summary>A descriptor a child gets under a number of its own.</summary>
/// <param name="Target">Number in the child, 3 or more.</param>
/// <param name="Source">The open descriptor; it stays the caller's.</param>
public readonly record struct InheritedDescriptor(int Target, SafeHandle Source);

/// <summary>What to run, as posix_spawn(3) is told. All other descriptors of this process are closed in the child.</summary>
public sealed record SpawnRequest
{
    /// <summary>Absolute path of the executable; <c>PATH</c> is not searched.</summary>
    public required string Path { get; init; }

    /// <summary>All arguments, the zeroth, by custom the name of the program, included.</summary>
    public required ImmutableArray<string> Arguments { get; init; }

    /// <summary>The whole environment, as <c>NAME=value</c>; nothing is inherited.</summary>
    public ImmutableArray<string> Environment { get; init; } = [];

    /// <summary>Where the child starts; this process's own directory if null.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>Standard input.</summary>
    public SpawnStream StandardInput { get; init; } = SpawnStream.Null;

    /// <summary>Standard output.</summary>
    public SpawnStream StandardOutput { get; init; } = SpawnStream.Null;

    /// <summary>Standard error.</summary>
    public SpawnStream StandardError { get; init; } = SpawnStream.Null;

    /// <summary>Further descriptors.</summary>
    public ImmutableArray<InheritedDescriptor> Descriptors { get; init; } = [];

    /// <summary>Whether the child leads a process group of its own, out of reach of this one's signals.</summary>
    public bool IsGroupLeader { get; init; }

    /// <summary>Whether the child leads a session of its own, and with it a process group.</summary>
    /// <remarks>
    /// In its parent's session a child that is stopped when the parent ends is hung up on: its group becomes an orphaned one, to which
    /// the kernel sends SIGHUP (setpgid(2)).
    /// </remarks>
    public bool IsSessionLeader { get; init; }
}

/// <summary>How a process ended.</summary>
/// <param name="Code">What it passed to exit(3); zero if a signal ended it.</param>
/// <param name="Signal">The signal that ended it; zero if none did.</param>
public readonly record struct ProcessExit(int Code, int Signal)
{
    /// <summary>The shells' and containerd's number: the code, or 128 plus the signal.</summary>
    public int Status => Signal == 0 ? Code : 128 + Signal;

    /// <summary>Ended by itself with zero.</summary>
    public bool IsSuccess => Status == 0;

    /// <inheritdoc />
    public override string ToString() => Signal == 0 ? $"exit status {Code}" : $"signal {Signal}";
}

/// <summary>What a finished process left behind.</summary>
/// <param name="Exit">How it ended.</param>
/// <param name="Output">Standard output, up to the bound.</param>
/// <param name="ErrorOutput">Standard error, up to the bound.</param>
/// <param name="IsTimedOut">Whether it was killed because its time was up.</param>
public sealed record ProcessResult(ProcessExit Exit, byte[] Output, byte[] ErrorOutput, bool IsTimedOut);
