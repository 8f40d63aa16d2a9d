// SPDX-License-Identifier: Apache-2.0

using System.Text;
using System.Text.RegularExpressions;

namespace Containerd.Actors.Cli.Configuration;

/// <summary>Finds the files of a pattern as Go's <c>filepath.Glob</c> does: <c>*</c>, <c>?</c> and <c>[...]</c> within each part of a path.</summary>
internal static class FilePattern
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>The files that match, sorted; what does not exist matches nothing.</summary>
    /// <exception cref="FormatException">The pattern has a bracket without its partner.</exception>
    public static IEnumerable<string> Files(string pattern)
    {
        IEnumerable<string> places = ["/"];
        foreach (string part in pattern.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            Regex? names = part.AsSpan().IndexOfAny("*?[") < 0 ? null : Names(part);
            places = [.. places.Where(Directory.Exists).SelectMany(place => names is null ? [Path.Combine(place, part)] : Entries(place, names)).Where(Path.Exists)];
        }

        return places.Where(File.Exists).Order(StringComparer.Ordinal);
    }

    private static IEnumerable<string> Entries(string directory, Regex names) =>
        Directory.EnumerateFileSystemEntries(directory).Where(entry => names.IsMatch(Path.GetFileName(entry)));

    private static Regex Names(string part)
    {
        StringBuilder regex = new("\\A");
        for (int i = 0; i < part.Length; i++)
        {
            int end = part[i] == '[' ? part.IndexOf(']', Math.Min(i + 2, part.Length)) : i;
            if (end < 0)
            {
                throw new FormatException($"\"{part}\" has a bracket without its partner");
            }

            regex.Append(part[i] switch
            {
                '*' => ".*",
                '?' => ".",
                '[' => $"[{part[(i + 1)..end].Replace("\\", "\\\\", StringComparison.Ordinal).Replace("[", "\\[", StringComparison.Ordinal)}]",
                var other => Regex.Escape(other.ToString()),
            });
            i = end;
        }

        return new Regex(regex.Append("\\z").ToString(), RegexOptions.CultureInvariant | RegexOptions.Singleline, Patience);
    }
}
