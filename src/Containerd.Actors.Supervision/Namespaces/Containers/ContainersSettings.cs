// SPDX-License-Identifier: Apache-2.0

using Akka.Configuration;

namespace Containerd.Actors.Supervision.Namespaces.Containers;

/// <summary>Deadlines and bounds of containers, tasks and shims: <c>containerd.containers</c>.</summary>
public sealed record ContainersSettings
{
    /// <summary>Root of the settings.</summary>
    public const string Root = "containerd.containers";

    /// <summary>Shortest wait before a container's or task's actor that stopped is started anew.</summary>
    public TimeSpan RestartBackoffMin { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Longest such wait.</summary>
    public TimeSpan RestartBackoffMax { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Most messages kept for one container while its actor is away.</summary>
    public int WaitingMax { get; init; } = 1000;

    /// <summary>Most clients waiting for the exit of one process.</summary>
    public int WaitersMax { get; init; } = 10000;

    /// <summary>Longest wait for the namespace to note what a container keeps.</summary>
    public TimeSpan RootTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Longest creation: bundle, shim, connection, first process.</summary>
    public TimeSpan ShimCreateTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Longest wait for the answer to a request that changes something.</summary>
    public TimeSpan ShimCallTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Longest wait for the answer to a question.</summary>
    public TimeSpan ShimQueryTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Longest wait for a shim to answer after a restart of the daemon.</summary>
    public TimeSpan ShimConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Wait before a shim that did not answer is asked again.</summary>
    public TimeSpan ShimReconnectInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Longest clean-up after a shim.</summary>
    public TimeSpan ShimCleanUpTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Most requests with one shim.</summary>
    public int ShimRequestsMax { get; init; } = 1000;

    /// <summary>The settings below <see cref="Root"/>; what is missing has its default.</summary>
    public static ContainersSettings From(Config config)
    {
        Config at = config.GetConfig(Root) ?? ConfigurationFactory.Empty;
        ContainersSettings defaults = new();
        return new ContainersSettings
        {
            RestartBackoffMin = at.GetTimeSpan("restart-backoff-min", defaults.RestartBackoffMin),
            RestartBackoffMax = at.GetTimeSpan("restart-backoff-max", defaults.RestartBackoffMax),
            WaitingMax = at.GetInt("waiting-max", defaults.WaitingMax),
            WaitersMax = at.GetInt("waiters-max", defaults.WaitersMax),
            RootTimeout = at.GetTimeSpan("root-timeout", defaults.RootTimeout),
            ShimCreateTimeout = at.GetTimeSpan("shim.create-timeout", defaults.ShimCreateTimeout),
            ShimCallTimeout = at.GetTimeSpan("shim.call-timeout", defaults.ShimCallTimeout),
            ShimQueryTimeout = at.GetTimeSpan("shim.query-timeout", defaults.ShimQueryTimeout),
            ShimConnectTimeout = at.GetTimeSpan("shim.connect-timeout", defaults.ShimConnectTimeout),
            ShimReconnectInterval = at.GetTimeSpan("shim.reconnect-interval", defaults.ShimReconnectInterval),
            ShimCleanUpTimeout = at.GetTimeSpan("shim.clean-up-timeout", defaults.ShimCleanUpTimeout),
            ShimRequestsMax = at.GetInt("shim.requests-max", defaults.ShimRequestsMax),
        };
    }
}
