// SPDX-License-Identifier: Apache-2.0

using System.Globalization;

namespace Containerd.Actors.Cli.Output;

/// <summary>Writes lengths and points of time for people and for machines.</summary>
internal static class Ages
{
    /// <summary>One number and one unit: <c>5 s</c>, <c>3 min</c>, <c>7 h</c>, <c>12 d</c>, <c>2 y</c>. Never negative.</summary>
    public static string Format(TimeSpan age)
    {
        double seconds = Math.Max(age.TotalSeconds, 0);
        return seconds switch
        {
            < 60 => Number(seconds, "s"),
            < 3600 => Number(seconds / 60, "min"),
            < 86400 => Number(seconds / 3600, "h"),
            < 365 * 86400.0 => Number(seconds / 86400, "d"),
            _ => Number(seconds / (365 * 86400.0), "y"),
        };
    }

    /// <summary>How long ago the point lies; a dash if it is unknown.</summary>
    public static string Since(DateTimeOffset? point, DateTimeOffset now) => point is { } at ? Format(now - at) : "-";

    /// <summary>RFC 3339 in UTC with milliseconds.</summary>
    public static string Rfc3339(DateTimeOffset point) =>
        point.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    private static string Number(double value, string unit) =>
        Math.Floor(value).ToString(CultureInfo.InvariantCulture) + " " + unit;
}
