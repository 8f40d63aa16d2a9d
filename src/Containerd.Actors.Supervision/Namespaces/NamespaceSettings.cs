// SPDX-License-Identifier: Apache-2.0

using Akka.Configuration;

namespace Containerd.Actors.Supervision.Namespaces;

/// <summary>The keys of <c>containerd.namespaces</c>; their meaning is in <c>hocon/reference/namespaces.conf</c>.</summary>
public sealed record NamespaceSettings(
    int SavepointEvery, int ChildrenMax, TimeSpan ListTimeout, TimeSpan BackoffMin, TimeSpan BackoffMax, TimeSpan BackoffReset)
{
    /// <summary>Path of the keys.</summary>
    public const string Path = "containerd.namespaces";

    /// <summary>Every key with its default.</summary>
    public static Config Default => Embedded.Read("namespaces.conf");

    /// <summary>Reads the keys.</summary>
    public static NamespaceSettings From(Config config)
    {
        Config keys = config.GetConfig(Path) ?? throw new ConfigurationException($"{Path} is missing");
        return new NamespaceSettings(
            keys.GetInt("savepoint-every"),
            keys.GetInt("children-max"),
            keys.GetTimeSpan("list-timeout"),
            keys.GetTimeSpan("restart-backoff-min"),
            keys.GetTimeSpan("restart-backoff-max"),
            keys.GetTimeSpan("restart-backoff-reset"));
    }
}
