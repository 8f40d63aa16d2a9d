// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;
using Containerd.Actors.Protocol.Errors;

namespace Containerd.Actors.Core.Mounts;

/// <summary>Templates in mounts: <c>{{ source 0 }}</c>, <c>{{ target 0 }}</c>, <c>{{ mount 0 }}</c> and <c>{{ overlay 0 2 }}</c>.</summary>
/// <remarks>
/// The numbers are places among the mounts that came before. <c>overlay</c> gives the mount points from one place to another with colons
/// between, downwards when the first number is the greater one. Of Go's templates this is all that snapshotters use: the rest is refused.
/// </remarks>
public static class MountTemplates
{
    private const string Open = "{{";
    private const string Close = "}}";

    /// <summary>The mount with its templates filled in.</summary>
    /// <exception cref="RefusedException">A template is malformed or names a mount that there is not.</exception>
    public static Mount Fill(Mount mount, IReadOnlyList<ActiveMount> active)
    {
        ArgumentNullException.ThrowIfNull(mount);
        ArgumentNullException.ThrowIfNull(active);
        return mount with
        {
            Source = Fill(mount.Source, active),
            Target = Fill(mount.Target, active),
            Options = [.. mount.Options.Select(option => Fill(option, active))],
        };
    }

    /// <summary>The text with its templates filled in.</summary>
    /// <exception cref="RefusedException">A template is malformed or names a mount that there is not.</exception>
    public static string Fill(string text, IReadOnlyList<ActiveMount> active)
    {
        ArgumentNullException.ThrowIfNull(text);
        StringBuilder filled = new();
        int at = 0;
        while (text.IndexOf(Open, at, StringComparison.Ordinal) is var begin and >= 0)
        {
            int end = text.IndexOf(Close, begin, StringComparison.Ordinal);
            if (end < 0)
            {
                throw Refused(text, "unclosed action");
            }

            filled.Append(text, at, begin - at).Append(Value(text, text[(begin + Open.Length)..end], active));
            at = end + Close.Length;
        }

        return filled.Append(text, at, text.Length - at).ToString();
    }

    private static string Value(string text, string action, IReadOnlyList<ActiveMount> active)
    {
        string[] words = action.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        return words switch
        {
            ["source", var place] => active[Place(text, place, active)].Mount.Source,
            ["target", var place] => active[Place(text, place, active)].Mount.Target,
            ["mount", var place] => active[Place(text, place, active)].MountPoint,
            ["overlay", var first, var last] => string.Join(':', Range(text, first, last, active).Select(mount => mount.MountPoint)),
            ["source" or "target" or "mount" or "overlay", ..] => throw Refused(text, $"wrong number of args for {words[0]}"),
            [var function, ..] => throw Refused(text, $"function \"{function}\" not defined"),
            [] => throw Refused(text, "missing value for command"),
        };
    }

    private static int Place(string text, string word, IReadOnlyList<ActiveMount> active) =>
        Number(text, word) is var place && place >= 0 && place < active.Count
            ? place
            : throw Refused(text, $"index out of bounds: {word}, has {active.Count} active mounts");

    private static IEnumerable<ActiveMount> Range(string text, string firstWord, string lastWord, IReadOnlyList<ActiveMount> active)
    {
        int first = Number(text, firstWord);
        int last = Number(text, lastWord);
        if (Math.Min(first, last) < 0 || Math.Max(first, last) >= active.Count)
        {
            throw Refused(text, $"invalid range: {firstWord}-{lastWord}, has {active.Count} active mounts");
        }

        IEnumerable<int> upwards = Enumerable.Range(Math.Min(first, last), Math.Abs(first - last) + 1);
        return (first <= last ? upwards : upwards.Reverse()).Select(place => active[place]);
    }

    private static int Number(string text, string word) => int.TryParse(word, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number)
        ? number
        : throw Refused(text, $"\"{word}\" is not a number");

    private static RefusedException Refused(string text, string why) => new(Error.Invalid($"mount template \"{text}\": {why}"));
}
