// SPDX-License-Identifier: Apache-2.0

using Akka.Configuration;

namespace Containerd.Actors.Supervision.Namespaces.Sandboxes;

/// <summary>Deadlines and bounds of sandboxes: <c>containerd.sandboxes</c>.</summary>
public sealed record SandboxesSettings
{
    /// <summary>Root of the settings.</summary>
    public const string Root = "containerd.sandboxes";

    /// <summary>Wait before a sandbox's actor that stopped is started anew.</summary>
    public TimeSpan RestartPause { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Most requests kept for one sandbox while it is busy.</summary>
    public int WaitingMax { get; init; } = 1000;

    /// <summary>Most clients waiting for the end of one sandbox.</summary>
    public int WaitersMax { get; init; } = 10000;

    /// <summary>Longest wait for the namespace to note what a sandbox keeps.</summary>
    public TimeSpan RootTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Longest creation, and longest start.</summary>
    public TimeSpan CreateTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Longest wait for the answer to a request that changes something; a stop has its own time beside it.</summary>
    public TimeSpan CallTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Longest wait for the answer to a question.</summary>
    public TimeSpan QueryTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Longest wait for a sandbox to answer after a restart of the daemon.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Wait before a sandbox that did not answer is asked again.</summary>
    public TimeSpan ReconnectInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Longest clean-up after a sandbox.</summary>
    public TimeSpan CleanUpTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Image of the container that holds a pod sandbox open.</summary>
    public string PauseImage { get; init; } = "registry.k8s.io/pause:3.10";

    /// <summary>Snapshotter of that container.</summary>
    public string PauseSnapshotter { get; init; } = "overlayfs";

    /// <summary>The settings below <see cref="Root"/>; what is missing has its default.</summary>
    public static SandboxesSettings From(Config config)
    {
        Config at = config.GetConfig(Root) ?? ConfigurationFactory.Empty;
        SandboxesSettings defaults = new();
        return new SandboxesSettings
        {
            RestartPause = at.GetTimeSpan("restart-pause", defaults.RestartPause),
            WaitingMax = at.GetInt("waiting-max", defaults.WaitingMax),
            WaitersMax = at.GetInt("waiters-max", defaults.WaitersMax),
            RootTimeout = at.GetTimeSpan("root-timeout", defaults.RootTimeout),
            CreateTimeout = at.GetTimeSpan("create-timeout", defaults.CreateTimeout),
            CallTimeout = at.GetTimeSpan("call-timeout", defaults.CallTimeout),
            QueryTimeout = at.GetTimeSpan("query-timeout", defaults.QueryTimeout),
            ConnectTimeout = at.GetTimeSpan("connect-timeout", defaults.ConnectTimeout),
            ReconnectInterval = at.GetTimeSpan("reconnect-interval", defaults.ReconnectInterval),
            CleanUpTimeout = at.GetTimeSpan("clean-up-timeout", defaults.CleanUpTimeout),
            PauseImage = at.GetString("podsandbox.image", defaults.PauseImage),
            PauseSnapshotter = at.GetString("podsandbox.snapshotter", defaults.PauseSnapshotter),
        };
    }
}
