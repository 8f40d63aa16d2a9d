// SPDX-License-Identifier: Apache-2.0

using Akka.Configuration;

namespace Containerd.Actors.Supervision.Namespaces.Runs;

/// <summary>Bounds of runs (<c>hocon/reference/runs.conf</c>).</summary>
public sealed record RunSettings
{
    /// <summary>Path of the keys.</summary>
    public const string Path = "containerd.runs";

    /// <summary>Runs of one namespace at a time.</summary>
    public int ChildrenMax { get; init; } = 10_000;

    /// <summary>Longest wait for one step.</summary>
    public TimeSpan StepTimeout { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>Wait before something that was refused is tried again.</summary>
    public TimeSpan RetryInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long what an earlier daemon left stays after it has ended.</summary>
    public TimeSpan Linger { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Reads and checks all keys; what is missing has its default.</summary>
    /// <exception cref="ConfigurationException">A key is out of its range.</exception>
    public static RunSettings From(Config config)
    {
        Config at = config.GetConfig(Path) ?? ConfigurationFactory.Empty;
        RunSettings defaults = new();
        return new RunSettings
        {
            ChildrenMax = at.GetInt("children-max", defaults.ChildrenMax) is >= 1 and <= 100_000 and var most
                ? most
                : throw new ConfigurationException($"{Path}.children-max must lie between 1 and 100000"),
            StepTimeout = Positive(at.GetTimeSpan("step-timeout", defaults.StepTimeout), "step-timeout"),
            RetryInterval = Positive(at.GetTimeSpan("retry-interval", defaults.RetryInterval), "retry-interval"),
            Linger = at.GetTimeSpan("linger", defaults.Linger),
        };
    }

    private static TimeSpan Positive(TimeSpan value, string key) =>
        value > TimeSpan.Zero ? value : throw new ConfigurationException($"{Path}.{key} must be more than nothing");
}
