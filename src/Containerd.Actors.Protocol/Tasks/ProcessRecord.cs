// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Protocol.Values;

namespace Containerd.Actors.Protocol.Tasks;

/// <summary>How a process ended.</summary>
/// <param name="Pid">Its id while it ran.</param>
/// <param name="Status">0–255; 128 + N when signal N ended it; 255 when nobody knows.</param>
/// <param name="ExitedAt">When, as the shim saw it; null if it never ran.</param>
public sealed record ProcessExit(uint Pid, uint Status, DateTimeOffset? ExitedAt);

/// <summary>One process of a task as it stands.</summary>
/// <param name="ContainerId">The container.</param>
/// <param name="ExecId">Empty for the first process.</param>
/// <param name="Pid">0 until it exists.</param>
/// <param name="Status">What it is doing.</param>
/// <param name="Stdio">Where it reads and writes, as the client named it.</param>
/// <param name="Exit">How it ended; null while it has not.</param>
public sealed record ProcessRecord(
    string ContainerId, string ExecId, uint Pid, ProcessStatus Status, ProcessStdio Stdio, ProcessExit? Exit)
{
    /// <summary>The id clients know it by: the exec id, or that of the container for the first process.</summary>
    public string Id => ExecId.Length == 0 ? ContainerId : ExecId;
}

/// <summary>A process the kernel lists in the container.</summary>
/// <param name="Pid">Its id outside of the container.</param>
/// <param name="Details">What the shim adds for processes it was asked to run; null for others.</param>
public sealed record PidRecord(uint Pid, AnyValue? Details);

/// <summary>What a task uses.</summary>
/// <param name="ContainerId">The container.</param>
/// <param name="At">When it was measured.</param>
/// <param name="Stats">The cgroup's numbers as the shim encodes them.</param>
public sealed record TaskMetric(string ContainerId, DateTimeOffset At, AnyValue Stats);
