// SPDX-License-Identifier: Apache-2.0

using Akka.Configuration;
using Containerd.Actors.Supervision.Namespaces;

namespace Containerd.Actors.Supervision.GarbageCollection;

/// <summary>
/// The keys of <c>containerd.garbage-collection</c>; their meaning is in <c>hocon/reference/garbage-collection.conf</c>.
/// </summary>
public sealed record GarbageCollectionSettings(
    TimeSpan StartupDelay,
    double PauseThreshold,
    int DeletionThreshold,
    int MutationThreshold,
    TimeSpan ScheduleDelay,
    TimeSpan RunMin,
    TimeSpan StepTimeout,
    int WaitingMax)
{
    /// <summary>Path of the keys.</summary>
    public const string Path = "containerd.garbage-collection";

    /// <summary>Every key with its default.</summary>
    public static Config Default => Embedded.Read("garbage-collection.conf");

    /// <summary>Reads the keys.</summary>
    public static GarbageCollectionSettings From(Config config)
    {
        Config keys = config.GetConfig(Path) ?? throw new ConfigurationException($"{Path} is missing");
        return new GarbageCollectionSettings(
            keys.GetTimeSpan("startup-delay"),
            Math.Clamp(keys.GetDouble("pause-threshold"), 0.001, 0.5),
            keys.GetInt("deletion-threshold"),
            keys.GetInt("mutation-threshold"),
            keys.GetTimeSpan("schedule-delay"),
            keys.GetTimeSpan("run-min"),
            keys.GetTimeSpan("step-timeout"),
            keys.GetInt("waiting-max"));
    }
}
