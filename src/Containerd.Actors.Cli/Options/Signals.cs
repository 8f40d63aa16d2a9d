// SPDX-License-Identifier: Apache-2.0

using System.Globalization;

namespace Containerd.Actors.Cli.Options;

/// <summary>Names of signals; signal(7), numbers of x86 and ARM.</summary>
internal static class Signals
{
    /// <summary>Ends a process at once.</summary>
    public const uint Kill = 9;

    /// <summary>Asks a process to end.</summary>
    public const uint Terminate = 15;

    private const uint RealTimeMin = 34;
    private const uint RealTimeMax = 64;

    private static readonly string[] Names =
    [
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM", "STKFLT",
        "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
    ];

    /// <summary>Reads a number, or a name with or without <c>SIG</c>, in any case; also <c>RTMIN+3</c> and <c>RTMAX-1</c>.</summary>
    /// <exception cref="FormatException">No such signal.</exception>
    public static uint Parse(string text)
    {
        string upper = text.Trim().ToUpperInvariant();
        string name = upper.StartsWith("SIG", StringComparison.Ordinal) ? upper[3..] : upper;
        int index = Array.IndexOf(Names, name);
        return index >= 0
            ? (uint)index + 1
            : ParseNumber(name) is { } number && number is >= 1 and <= RealTimeMax
                ? number
                : throw new FormatException($"signal \"{text}\": unknown");
    }

    private static uint? ParseNumber(string name)
    {
        if (uint.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out uint number))
        {
            return number;
        }

        if (name.StartsWith("RTMIN", StringComparison.Ordinal) && TryOffset(name[5..], '+', out uint up))
        {
            return RealTimeMin + up;
        }

        return name.StartsWith("RTMAX", StringComparison.Ordinal) && TryOffset(name[5..], '-', out uint down)
            ? RealTimeMax - down
            : null;
    }

    private static bool TryOffset(string text, char sign, out uint offset)
    {
        offset = 0;
        return text.Length == 0
            || (text[0] == sign
                && uint.TryParse(text.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out offset)
                && offset <= RealTimeMax - RealTimeMin);
    }
}
