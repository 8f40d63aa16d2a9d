// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Cli.Options;

namespace Containerd.Actors.Cli.Running;

/// <summary>What <c>cactl run</c> was asked for.</summary>
internal sealed record RunRequest(string Image, IReadOnlyList<string> Command)
{
    public bool Detached { get; init; }

    public bool Terminal { get; init; }

    public bool Interactive { get; init; }

    public bool Remove { get; init; }

    /// <summary>Whether to tell how long each stage took.</summary>
    public bool Timings { get; init; }

    /// <summary><c>KEY=VALUE</c> entries.</summary>
    public IReadOnlyList<string> Environment { get; init; } = [];

    public IReadOnlyList<BindMount> Mounts { get; init; } = [];

    /// <summary>Most memory in bytes; null for no limit.</summary>
    public long? MemoryBytes { get; init; }

    /// <summary>Processor time in microseconds per <see cref="Quantities.CpuPeriod"/>; null for no limit.</summary>
    public long? CpuQuota { get; init; }

    /// <summary>The container's id; null for a random one.</summary>
    public string? Name { get; init; }

    public string Runtime { get; init; } = "io.containerd.runc.v2";

    /// <summary>The OCI runtime's binary, for example <c>crun</c>; empty for the daemon's choice.</summary>
    public string RuncBinary { get; init; } = "";

    public string Snapshotter { get; init; } = "overlayfs";

    public bool HostNetwork { get; init; }

    public bool ReadOnly { get; init; }

    public bool Privileged { get; init; }

    /// <summary>Null for the image's.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>Null for the image's.</summary>
    public string? User { get; init; }

    /// <summary>Null for the image's; empty for none.</summary>
    public string? Entrypoint { get; init; }

    public IReadOnlyList<KeyValuePair<string, string>> Labels { get; init; } = [];

    /// <summary>Where the output of a detached container goes; null for the default place.</summary>
    public string? LogPath { get; init; }
}
