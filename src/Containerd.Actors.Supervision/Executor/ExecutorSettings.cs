// SPDX-License-Identifier: Apache-2.0

using Akka.Configuration;
using Containerd.Actors.Core.Executor;
using Containerd.Actors.Protocol.Errors;

namespace Containerd.Actors.Supervision.Executor;

/// <summary>The settings of all lane kinds, read from <c>containerd.executor</c>.</summary>
public sealed record ExecutorSettings(LaneSettings Mount, LaneSettings Process, LaneSettings Content, LaneSettings Bulk, LaneSettings Arrival)
{
    /// <summary>Where the keys are.</summary>
    public const string Root = "containerd.executor";

    /// <summary>The key of the dispatcher that gives each lane a thread.</summary>
    public const string LaneDispatcher = Root + ".lane-dispatcher";

    /// <summary>The settings of one kind.</summary>
    public LaneSettings this[LaneKind kind] => kind switch
    {
        LaneKind.Mount => Mount,
        LaneKind.Process => Process,
        LaneKind.Content => Content,
        LaneKind.Bulk => Bulk,
        LaneKind.Arrival => Arrival,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
    };

    /// <summary>Reads and checks all keys.</summary>
    /// <exception cref="RefusedException">A key is missing, malformed or out of its limits; the text names it.</exception>
    public static ExecutorSettings Read(Config config) =>
        new(
            LaneSettings.Read(config, "mount"),
            LaneSettings.Read(config, "process"),
            LaneSettings.Read(config, "content"),
            LaneSettings.Read(config, "bulk"),
            LaneSettings.Read(config, "arrival"));
}

/// <summary>The settings of one lane kind.</summary>
/// <param name="Name">Word of the kind in keys and actor names.</param>
/// <param name="Lanes">Number of lanes, 1–64.</param>
/// <param name="QueueMax">Effects that may wait, 1–100,000.</param>
/// <param name="ReplacementsMax">Abandoned lanes at any one time, 0–64.</param>
/// <param name="Deadline">Deadline of effects that bring none, 10 ms–1 h.</param>
public sealed record LaneSettings(string Name, int Lanes, int QueueMax, int ReplacementsMax, TimeSpan Deadline)
{
    /// <summary>The full name of one of this kind's keys, for texts.</summary>
    public string Key(string name) => $"{ExecutorSettings.Root}.{Name}.{name}";

    internal static LaneSettings Read(Config config, string name)
    {
        ArgumentNullException.ThrowIfNull(config);
        string root = $"{ExecutorSettings.Root}.{name}";
        return new LaneSettings(
            name,
            Number(config, $"{root}.lanes", 1, 64),
            Number(config, $"{root}.queue-max", 1, 100_000),
            Number(config, $"{root}.replacements-max", 0, 64),
            Duration(config, $"{root}.deadline", TimeSpan.FromMilliseconds(10), TimeSpan.FromHours(1)));
    }

    private static int Number(Config config, string key, int least, int most)
    {
        int value = Get(config, key, () => config.GetInt(key));
        return value >= least && value <= most ? value : throw OutOfLimits(key, $"{value}", $"{least}", $"{most}");
    }

    private static TimeSpan Duration(Config config, string key, TimeSpan least, TimeSpan most)
    {
        TimeSpan value = Get(config, key, () => config.GetTimeSpan(key, allowInfinite: false));
        return value >= least && value <= most ? value : throw OutOfLimits(key, $"{value}", $"{least}", $"{most}");
    }

    private static T Get<T>(Config config, string key, Func<T> read)
    {
        if (!config.HasPath(key))
        {
            throw new RefusedException(Error.Invalid($"{key}: is missing"));
        }

        try
        {
            return read();
        }
        catch (Exception malformed) when (malformed is FormatException or OverflowException or ConfigurationException
            or ArgumentException)
        {
            throw new RefusedException(Error.Invalid($"{key}: {config.GetString(key)} is malformed"), malformed);
        }
    }

    private static RefusedException OutOfLimits(string key, string value, string least, string most) =>
        new(Error.Invalid($"{key}: {value} is not within {least} and {most}"));
}
