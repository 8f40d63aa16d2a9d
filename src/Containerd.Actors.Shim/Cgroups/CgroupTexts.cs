// SPDX-License-Identifier: Apache-2.0

using System.Globalization;

namespace Containerd.Actors.Shim.Cgroups;

/// <summary>Files of one cgroup directory. One that is not there, as controllers come and go, reads as empty.</summary>
internal readonly record struct CgroupTexts(string? Directory)
{
    /// <summary>What cgroup v1 says for "no limit" is a number; v2 says <c>max</c>, which counts as the largest.</summary>
    private const string NoLimit = "max";

    /// <summary>The lines of a file.</summary>
    public IEnumerable<string> Lines(string file) => Text(file).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>A file with one number.</summary>
    public ulong Number(string file) => Parse(Text(file).Trim());

    /// <summary>A file of lines <c>key value</c>.</summary>
    public IReadOnlyDictionary<string, ulong> Keyed(string file)
    {
        Dictionary<string, ulong> values = new(StringComparer.Ordinal);
        foreach (string line in Lines(file))
        {
            string[] parts = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (parts.Length == 2)
            {
                values[parts[0]] = Parse(parts[1]);
            }
        }

        return values;
    }

    /// <summary>A number in text; <c>max</c> is the largest, anything else 0.</summary>
    public static ulong Parse(string text) => text == NoLimit ? ulong.MaxValue
        : ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong value) ? value : 0;

    private string Text(string file)
    {
        try
        {
            return Directory is null ? "" : File.ReadAllText(Path.Combine(Directory, file));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
