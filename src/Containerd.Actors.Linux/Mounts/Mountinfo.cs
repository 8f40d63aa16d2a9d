// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Containerd.Actors.Linux.Mounts;

/// <summary>One line of <c>/proc/self/mountinfo</c>; proc_pid_mountinfo(5).</summary>
/// <param name="Id">Unique while mounted.</param>
/// <param name="Parent">The mount it is on.</param>
/// <param name="Device">major:minor.</param>
/// <param name="Root">Directory of the file system that is mounted.</param>
/// <param name="MountPoint">Where.</param>
/// <param name="Options">Options of the mount.</param>
/// <param name="OptionalFields">Propagation, such as <c>shared:1</c>.</param>
/// <param name="Type">File system type.</param>
/// <param name="Source">What was mounted.</param>
/// <param name="SuperOptions">Options of the file system.</param>
public sealed record MountinfoEntry(
    int Id,
    int Parent,
    string Device,
    string Root,
    string MountPoint,
    string Options,
    ImmutableArray<string> OptionalFields,
    string Type,
    string Source,
    string SuperOptions);

/// <summary>Reads the mount table of this process.</summary>
public static class Mountinfo
{
    /// <summary>The table now, in the order of mounting.</summary>
    public static ImmutableArray<MountinfoEntry> Read() => Parse(File.ReadAllText("/proc/self/mountinfo"));

    /// <summary>Parses the table; lines that are none are left out.</summary>
    public static ImmutableArray<MountinfoEntry> Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        ImmutableArray<MountinfoEntry>.Builder entries = ImmutableArray.CreateBuilder<MountinfoEntry>();
        foreach (string line in text.Split('\n'))
        {
            if (ParseLine(line) is { } entry)
            {
                entries.Add(entry);
            }
        }

        return entries.ToImmutable();
    }

    /// <summary>The text without the kernel's octal escapes (<c>\040</c> for a blank); their bytes are UTF-8.</summary>
    public static string Unescape(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (!text.Contains('\\', StringComparison.Ordinal))
        {
            return text;
        }

        byte[] bytes = Encoding.UTF8.GetBytes(text);
        int length = 0;
        for (int i = 0; i < bytes.Length; i++)
        {
            bool escaped = bytes[i] == '\\' && i + 3 < bytes.Length && bytes[i + 1] is >= (byte)'0' and <= (byte)'3'
                && bytes[i + 2] is >= (byte)'0' and <= (byte)'7' && bytes[i + 3] is >= (byte)'0' and <= (byte)'7';
            bytes[length++] = escaped
                ? (byte)(((bytes[i + 1] - '0') << 6) | ((bytes[i + 2] - '0') << 3) | (bytes[i + 3] - '0'))
                : bytes[i];
            i += escaped ? 3 : 0;
        }

        return Encoding.UTF8.GetString(bytes, 0, length);
    }

    private static MountinfoEntry? ParseLine(string line)
    {
        string[] fields = line.Split(' ');
        int dash = Array.IndexOf(fields, "-", Math.Min(6, fields.Length));
        if (dash < 6 || fields.Length < dash + 4
            || !int.TryParse(fields[0], NumberStyles.None, CultureInfo.InvariantCulture, out int id)
            || !int.TryParse(fields[1], NumberStyles.None, CultureInfo.InvariantCulture, out int parent))
        {
            return null;
        }

        return new MountinfoEntry(
            id,
            parent,
            fields[2],
            Unescape(fields[3]),
            Unescape(fields[4]),
            fields[5],
            [.. fields[6..dash]],
            fields[dash + 1],
            Unescape(fields[dash + 2]),
            Unescape(fields[dash + 3]));
    }
}
