// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.RegularExpressions;

namespace Containerd.Actors.Registry.Hosts;

/// <summary>Reads durations as Go writes them: <c>300ms</c>, <c>1m30s</c>.</summary>
internal static partial class GoDuration
{
    /// <summary>The duration, or null when the text is none or is not positive.</summary>
    public static TimeSpan? Parse(string text)
    {
        Match match = Form().Match(text);
        if (!match.Success)
        {
            return null;
        }

        double seconds = 0;
        for (int i = 0; i < match.Groups["number"].Captures.Count; i++)
        {
            double number = double.Parse(match.Groups["number"].Captures[i].Value, CultureInfo.InvariantCulture);
            seconds += number * match.Groups["unit"].Captures[i].Value switch
            {
                "h" => 3600,
                "m" => 60,
                "s" => 1,
                "ms" => 1e-3,
                "ns" => 1e-9,
                _ => 1e-6,
            };
        }

        return seconds is > 0 and < 1e6 ? TimeSpan.FromSeconds(seconds) : null;
    }

    [GeneratedRegex(@"\A(?:(?<number>[0-9]{1,12}(?:\.[0-9]{1,9})?)(?<unit>ns|us|µs|ms|s|m|h)){1,8}\z")]
    private static partial Regex Form();
}
