// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Core.Restarts;

/// <summary>The labels by which clients ask for restarts.</summary>
public static class RestartLabels
{
    /// <summary>What the task is to be: <c>running</c> or <c>stopped</c>. Without it nothing is done.</summary>
    public const string Status = "containerd.io/restart.status";

    /// <summary>When to restart: <c>no</c>, <c>always</c>, <c>on-failure[:N]</c>, <c>unless-stopped</c>; empty is <c>always</c>.</summary>
    public const string Policy = "containerd.io/restart.policy";

    /// <summary>How often it was restarted; counted by the daemon.</summary>
    public const string Count = "containerd.io/restart.count";

    /// <summary>Where a restarted task writes, as a URI; nowhere without it.</summary>
    public const string LogUri = "containerd.io/restart.loguri";

    /// <summary>True when a client stopped it on purpose.</summary>
    public const string ExplicitlyStopped = "containerd.io/restart.explicitly-stopped";
}
