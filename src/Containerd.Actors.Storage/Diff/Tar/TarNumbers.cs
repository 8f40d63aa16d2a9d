// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using System.Globalization;
using Containerd.Actors.Linux.Files;

namespace Containerd.Actors.Storage.Diff.Tar;

/// <summary>Reads the numbers and texts of tar headers; anything else than a number is refused.</summary>
internal static class TarNumbers
{
    /// <summary>A header field: octal digits between blanks or NULs, or GNU's base 256 when the first bit is set.</summary>
    public static long Field(ReadOnlySpan<byte> field, string what)
    {
        if ((field[0] & 0x80) != 0)
        {
            return Binary(field, what);
        }

        field = field.Trim(" \0"u8);
        int end = field.IndexOfAny((byte)0, (byte)' ');
        field = end < 0 ? field : field[..end];
        long value = 0;
        foreach (byte digit in field)
        {
            if (digit is < (byte)'0' or > (byte)'7' || value > long.MaxValue >> 3)
            {
                throw LayerLimits.Malformed($"{what} is not a number");
            }

            value = (value << 3) | (long)(digit - (byte)'0');
        }

        return value;
    }

    /// <summary>A field's text up to the first NUL.</summary>
    public static string Text(ReadOnlySpan<byte> field)
    {
        int end = field.IndexOf((byte)0);
        return FileNames.Decode(end < 0 ? field : field[..end]);
    }

    /// <summary>A decimal number that is not negative.</summary>
    public static long Decimal(string text, string what) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long value)
            ? value
            : throw LayerLimits.Malformed($"{what} is not a number");

    /// <summary>Seconds since 1970 with an optional fraction; digits behind the nanoseconds are dropped.</summary>
    public static FileTime Time(string text, string what)
    {
        int point = text.IndexOf('.', StringComparison.Ordinal);
        string whole = point < 0 ? text : text[..point];
        string fraction = point < 0 ? "" : text[(point + 1)..];
        if (!long.TryParse(whole, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long seconds)
            || fraction.AsSpan().ContainsAnyExceptInRange('0', '9')
            || seconds is < -(1L << 40) or > 1L << 40)
        {
            throw LayerLimits.Malformed($"{what} is not a time");
        }

        long nanoseconds = fraction.Length == 0
            ? 0
            : long.Parse(fraction.PadRight(9, '0').AsSpan(0, 9), NumberStyles.None, CultureInfo.InvariantCulture);

        // Files store the fraction forward from the second: -1.25 is -2 s + 750,000,000 ns.
        return nanoseconds > 0 && whole.StartsWith('-')
            ? new FileTime(seconds - 1, 1_000_000_000 - nanoseconds)
            : new FileTime(seconds, nanoseconds);
    }

    private static long Binary(ReadOnlySpan<byte> field, string what)
    {
        bool negative = (field[0] & 0x40) != 0;
        byte filler = negative ? (byte)0xFF : (byte)0;
        ReadOnlySpan<byte> low = field[^8..];
        byte first = (byte)(negative ? field[0] | 0x80 : field[0] & 0x7F);
        if (field.Length > 8)
        {
            bool fits = first == filler && !field[1..^8].ContainsAnyExcept(filler);
            long value = BinaryPrimitives.ReadInt64BigEndian(low);
            return fits && value < 0 == negative ? value : throw LayerLimits.Malformed($"{what} is too large");
        }

        Span<byte> whole = stackalloc byte[8];
        low.CopyTo(whole);
        whole[0] = negative ? first : (byte)(field[0] & 0x7F);
        return BinaryPrimitives.ReadInt64BigEndian(whole);
    }
}
