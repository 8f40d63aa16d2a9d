// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Runtime.Bootstrap.V1;

namespace Containerd.Actors.Shims;

/// <summary>What every shim is told about the daemon that starts it.</summary>
public sealed record ShimSettings
{
    /// <summary>Time the <c>delete</c> action may take, as in containerd.</summary>
    public static readonly TimeSpan DeleteTimeoutDefault = TimeSpan.FromSeconds(5);

    /// <summary>Path of the daemon's gRPC socket; also keeps the sockets of two daemons' shims apart.</summary>
    public required string GrpcAddress { get; init; }

    /// <summary>Path of the daemon's ttrpc socket, to which shims publish.</summary>
    public required string TtrpcAddress { get; init; }

    /// <summary>Executable a shim may call to publish an event.</summary>
    public required string DaemonBinary { get; init; }

    /// <summary>The daemon's own environment, as <c>NAME=value</c>, to which the shims' variables are added.</summary>
    public required ImmutableArray<string> Environment { get; init; }

    /// <summary>Variables configured for shims; they win over all others.</summary>
    public ImmutableArray<string> ShimEnvironment { get; init; } = [];

    /// <summary>How much the daemon logs; debug and trace make shims do so too.</summary>
    public LogLevel LogLevel { get; init; } = LogLevel.Info;

    /// <summary>The version of containerd whose behaviour shims may expect.</summary>
    public string ContainerdVersion { get; init; } = "2.3.4";

    /// <summary>Directory of the shims' sockets; the shim's own default if empty.</summary>
    public string SocketDirectory { get; init; } = "";

    /// <summary>Time the <c>start</c> action may take before it is killed.</summary>
    public TimeSpan StartTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Time a started shim may take until it accepts a connection.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Time the <c>delete</c> action may take before it is killed.</summary>
    public TimeSpan DeleteTimeout { get; init; } = DeleteTimeoutDefault;

    /// <summary>Shims that wait for a bundle, once the first was needed; none are started beforehand if zero.</summary>
    public int WaitingShims { get; init; } = 2;

    /// <summary>Whether shims are started with <c>-debug</c>.</summary>
    public bool IsDebug => LogLevel is LogLevel.Debug or LogLevel.Trace;
}
