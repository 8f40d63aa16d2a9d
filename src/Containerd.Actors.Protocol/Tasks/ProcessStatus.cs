// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Protocol.Tasks;

/// <summary>What a process is doing; the numbers are those of containerd's <c>Status</c>.</summary>
public enum ProcessStatus
{
    /// <summary>Nobody knows.</summary>
    Unknown = 0,

    /// <summary>It exists and waits to be started.</summary>
    Created = 1,

    /// <summary>It runs.</summary>
    Running = 2,

    /// <summary>It ended.</summary>
    Stopped = 3,

    /// <summary>It is frozen.</summary>
    Paused = 4,

    /// <summary>It is about to be frozen.</summary>
    Pausing = 5,
}
