// SPDX-License-Identifier: Apache-2.0

using System.Globalization;

namespace Containerd.Actors.Cli.Options;

/// <summary>A point of the journal: a cursor, or a time.</summary>
internal readonly record struct Moment(ulong? Cursor, DateTimeOffset? Time)
{
    /// <summary>Reads a cursor or an RFC 3339 time.</summary>
    /// <exception cref="FormatException">Neither.</exception>
    public static Moment Parse(string text)
    {
        if (ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong cursor))
        {
            return new Moment(cursor, null);
        }

        return text.Contains('T', StringComparison.Ordinal)
            && DateTimeOffset.TryParse(
                text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out DateTimeOffset time)
            ? new Moment(null, time)
            : throw new FormatException($"moment \"{text}\": must be a cursor or a time such as 2026-01-31T12:00:00Z");
    }
}
