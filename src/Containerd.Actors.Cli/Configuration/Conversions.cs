// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.RegularExpressions;
using Containerd.Actors.Cli.Errors;

namespace Containerd.Actors.Cli.Configuration;

/// <summary>How values of TOML become values of HOCON.</summary>
internal static partial class Conversions
{
    /// <summary>A text; an empty one stands for the default.</summary>
    public static Func<Setting, Outcome> Text(string key) => setting => Word(setting) is { Length: > 0 } text
        ? new Outcome.Carried(key, Quoted(text))
        : Outcome.Passed.Over;

    /// <summary>A directory that belongs to containerd: ours is beside it.</summary>
    public static Func<Setting, Outcome> Beside(string key, string why) => setting => Word(setting).TrimEnd('/') is { Length: > 0 } directory
        ? new Outcome.Carried(key, Quoted($"{directory}-actors"), why)
        : Outcome.Passed.Over;

    /// <summary>A whole number within bounds.</summary>
    public static Func<Setting, Outcome> Whole(string key, long min, long max) => setting => Number(setting) is var number && number >= min && number <= max
        ? new Outcome.Carried(key, number.ToString(CultureInfo.InvariantCulture))
        : new Outcome.Left(string.Create(CultureInfo.InvariantCulture, $"{key} must lie between {min} and {max}"));

    /// <summary>A share of one.</summary>
    public static Func<Setting, Outcome> Share(string key) => setting => setting.Value switch
    {
        double number => new Outcome.Carried(key, number.ToString("R", CultureInfo.InvariantCulture)),
        long whole => new Outcome.Carried(key, whole.ToString(CultureInfo.InvariantCulture)),
        _ => throw Wrong(setting, "a number"),
    };

    /// <summary>A duration in Go's words, or nanoseconds; zero only where it means something here.</summary>
    public static Func<Setting, Outcome> Duration(string key, bool zero = false) => setting => Time(setting) is var time && (time > TimeSpan.Zero || zero)
        ? new Outcome.Carried(key, Written(time))
        : new Outcome.Left($"{key} must be longer than zero");

    /// <summary>The text of a setting.</summary>
    public static string Word(Setting setting) => setting.Value as string ?? throw Wrong(setting, "a string");

    /// <summary>The texts of a list.</summary>
    public static IReadOnlyList<string> Words(Setting setting) => setting.Value is IReadOnlyList<object> list && list.All(item => item is string)
        ? [.. list.Cast<string>()]
        : throw Wrong(setting, "a list of strings");

    /// <summary>The whole number of a setting.</summary>
    public static long Number(Setting setting) => setting.Value as long? ?? throw Wrong(setting, "a whole number");

    /// <summary>True or false.</summary>
    public static bool Flag(Setting setting) => setting.Value as bool? ?? throw Wrong(setting, "true or false");

    /// <summary>The duration of a setting.</summary>
    public static TimeSpan Time(Setting setting) => setting.Value switch
    {
        long nanoseconds when nanoseconds >= 0 => TimeSpan.FromTicks(nanoseconds / 100),
        string text when Go(text) is { } time => time,
        _ => throw Wrong(setting, "a duration such as 10s"),
    };

    /// <summary>A text as HOCON has it.</summary>
    public static string Quoted(string text) => text.Any(char.IsControl)
        ? throw new FormatException($"\"{text}\" contains a control character")
        : $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    private static string Written(TimeSpan time) => time.Ticks % TimeSpan.TicksPerSecond == 0
        ? string.Create(CultureInfo.InvariantCulture, $"{time.Ticks / TimeSpan.TicksPerSecond}s")
        : string.Create(CultureInfo.InvariantCulture, $"{Math.Max(1, time.Ticks / TimeSpan.TicksPerMillisecond)}ms");

    private static TimeSpan? Go(string text)
    {
        if (text == "0")
        {
            return TimeSpan.Zero;
        }

        Match match = Form().Match(text);
        if (!match.Success)
        {
            return null;
        }

        decimal ticks = 0;
        for (int i = 0; i < match.Groups["number"].Captures.Count; i++)
        {
            ticks += decimal.Parse(match.Groups["number"].Captures[i].ValueSpan, CultureInfo.InvariantCulture) * match.Groups["unit"].Captures[i].Value switch
            {
                "h" => TimeSpan.TicksPerHour,
                "m" => TimeSpan.TicksPerMinute,
                "s" => TimeSpan.TicksPerSecond,
                "ms" => TimeSpan.TicksPerMillisecond,
                "ns" => 0.01m,
                _ => TimeSpan.TicksPerMicrosecond,
            };
        }

        return ticks < TimeSpan.TicksPerDay * 365m ? TimeSpan.FromTicks((long)ticks) : null;
    }

    private static CliFailure Wrong(Setting setting, string what) => new(setting.Place, $"{setting.Written} must be {what}");

    [GeneratedRegex(@"\A(?:(?<number>[0-9]{1,12}(?:\.[0-9]{1,9})?)(?<unit>ns|us|µs|ms|s|m|h)){1,8}\z")]
    private static partial Regex Form();
}
