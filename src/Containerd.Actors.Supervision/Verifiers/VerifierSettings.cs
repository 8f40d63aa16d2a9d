// SPDX-License-Identifier: Apache-2.0

using Akka.Configuration;

namespace Containerd.Actors.Supervision.Verifiers;

/// <summary>The programs that may refuse a pull (<c>hocon/reference/pulls.conf</c>).</summary>
/// <param name="Directory">Where they are; empty for none.</param>
/// <param name="VerifiersMax">How many there may be.</param>
/// <param name="TimeLimit">Longest time for one of them.</param>
/// <param name="IsRequired">True to refuse every pull as long as there is none.</param>
public sealed record VerifierSettings(string Directory, int VerifiersMax, TimeSpan TimeLimit, bool IsRequired)
{
    /// <summary>Path of the keys.</summary>
    public const string Path = "containerd.pulls.verifiers";

    /// <summary>Nobody is asked.</summary>
    public static VerifierSettings None { get; } = new("", 10, TimeSpan.FromSeconds(10), false);

    /// <summary>Reads and checks all keys.</summary>
    /// <exception cref="ConfigurationException">A key is missing or out of its range.</exception>
    public static VerifierSettings From(Config config)
    {
        Config keys = config.GetConfig(Path) ?? throw new ConfigurationException($"{Path} is missing");
        VerifierSettings settings = new(
            keys.GetString("directory"), keys.GetInt("verifiers-max"), keys.GetTimeSpan("time-limit"), keys.GetBoolean("required"));
        if (settings.VerifiersMax is < 1 or > 100)
        {
            throw new ConfigurationException($"{Path}.verifiers-max must lie between 1 and 100");
        }

        if (settings.TimeLimit < TimeSpan.FromMilliseconds(100) || settings.TimeLimit > TimeSpan.FromMinutes(10))
        {
            throw new ConfigurationException($"{Path}.time-limit must lie between 100ms and 10m");
        }

        if (settings.Directory.Length == 0 && settings.IsRequired)
        {
            throw new ConfigurationException($"{Path}.required needs {Path}.directory");
        }

        return settings.Directory.Length > 0 && !System.IO.Path.IsPathRooted(settings.Directory)
            ? throw new ConfigurationException($"{Path}.directory must be an absolute path")
            : settings;
    }
}
