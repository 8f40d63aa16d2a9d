// SPDX-License-Identifier: Apache-2.0

using System.Globalization;

namespace Containerd.Actors.Cli.Options;

/// <summary>Reads amounts of memory and processor time.</summary>
internal static class Quantities
{
    /// <summary>The kernel's default period of a processor quota, in microseconds; cgroups, "cpu.max".</summary>
    public const ulong CpuPeriod = 100_000;

    /// <summary>Reads bytes with an optional unit of 1024s: <c>b</c>, <c>k</c>, <c>m</c>, <c>g</c>, <c>t</c>, also as <c>MiB</c>.</summary>
    /// <exception cref="FormatException">The text is no amount, not positive, or beyond 2^63 - 1.</exception>
    public static long ParseBytes(string text)
    {
        string lower = text.Trim().ToLowerInvariant();
        int digits = lower.TakeWhile(c => char.IsAsciiDigit(c) || c == '.').Count();
        int power = lower[digits..].Trim() switch
        {
            "" or "b" => 0,
            "k" or "kb" or "kib" => 1,
            "m" or "mb" or "mib" => 2,
            "g" or "gb" or "gib" => 3,
            "t" or "tb" or "tib" => 4,
            _ => throw new FormatException($"size \"{text}\": must be a number with b, k, m, g or t"),
        };
        if (!decimal.TryParse(lower[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal number)
            || number <= 0
            || number > (decimal)long.MaxValue / (1L << (10 * power)))
        {
            throw new FormatException($"size \"{text}\": must be positive and fit 63 bits");
        }

        return (long)(number * (1L << (10 * power)));
    }

    /// <summary>Reads a number of processors as a quota in microseconds per <see cref="CpuPeriod"/>.</summary>
    /// <exception cref="FormatException">Not a number, or below the kernel's least quota of 1 ms, or above 100,000 processors.</exception>
    public static long ParseCpus(string text)
    {
        if (!decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal cpus)
            || cpus < 0.01m || cpus > 100_000)
        {
            throw new FormatException($"cpus \"{text}\": must be a number from 0.01 to 100000");
        }

        return (long)(cpus * CpuPeriod);
    }

    /// <summary>Reads a number of seconds, zero or more.</summary>
    /// <exception cref="FormatException">Not a number, or negative.</exception>
    public static TimeSpan ParseSeconds(string text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double seconds)
        && seconds is >= 0 and <= 86_400 * 365
            ? TimeSpan.FromSeconds(seconds)
            : throw new FormatException($"seconds \"{text}\": must be a number, zero or more");
}
