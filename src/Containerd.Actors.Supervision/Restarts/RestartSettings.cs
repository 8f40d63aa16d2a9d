// SPDX-License-Identifier: Apache-2.0

using Akka.Configuration;

namespace Containerd.Actors.Supervision.Restarts;

/// <summary>When the restart monitor looks: <c>containerd.restart-monitor</c>.</summary>
public sealed record RestartSettings
{
    /// <summary>Root of the settings.</summary>
    public const string Root = "containerd.restart-monitor";

    /// <summary>Time between two looks at all containers.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Longest time one container may take: ending its task, making and starting another.</summary>
    public TimeSpan StepTimeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Most containers worked on at once; the others wait for the next look.</summary>
    public int OperationsMax { get; init; } = 16;

    /// <summary>The settings below <see cref="Root"/>; what is missing has its default.</summary>
    public static RestartSettings From(Config config)
    {
        Config at = config.GetConfig(Root) ?? ConfigurationFactory.Empty;
        RestartSettings defaults = new();
        TimeSpan interval = at.GetTimeSpan("interval", defaults.Interval);
        return new RestartSettings
        {
            // containerd takes 0 for its own default.
            Interval = interval > TimeSpan.Zero ? interval : defaults.Interval,
            StepTimeout = at.GetTimeSpan("step-timeout", defaults.StepTimeout),
            OperationsMax = Math.Max(1, at.GetInt("operations-max", defaults.OperationsMax)),
        };
    }
}
