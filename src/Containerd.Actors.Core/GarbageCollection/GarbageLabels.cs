// SPDX-License-Identifier: Apache-2.0

using System.Globalization;

namespace Containerd.Actors.Core.GarbageCollection;

/// <summary>The labels by which things refer to each other, as containerd names them.</summary>
public static class GarbageLabels
{
    /// <summary>On content and snapshots: a root.</summary>
    public const string Root = "containerd.io/gc.root";

    /// <summary>On leases and images: the moment (RFC 3339) after which they keep nothing; unreadable means never.</summary>
    public const string Expire = "containerd.io/gc.expire";

    /// <summary>On leases: labels of what is kept are not followed.</summary>
    public const string Flat = "containerd.io/gc.flat";

    /// <summary>On snapshots: when it was last used (RFC 3339), for conditions.</summary>
    public const string UsedAt = "containerd.io/gc.cond.value-usedat";

    private const string Reference = "containerd.io/gc.ref.";
    private const string BackReference = "containerd.io/gc.bref.";
    private const string Condition = "containerd.io/gc.cond.snapshot.";

    /// <summary>What a label keeps; null if it is no reference.</summary>
    public static GarbageNode? Referred(string label, string value) => Read(label, value, Reference);

    /// <summary>What a label says keeps the labelled thing; null if it is no back reference.</summary>
    public static GarbageNode? ReferredBack(string label, string value) => Read(label, value, BackReference);

    /// <summary>The snapshots named by a condition label whose condition is to be looked at, with the condition.</summary>
    /// <remarks>Value: <c>usedat&lt;DURATION|key</c> or <c>usedat&gt;DURATION|key</c>, any number, separated by commas.</remarks>
    public static IEnumerable<(GarbageNode Snapshot, bool Younger, TimeSpan Age)> Conditions(string label, string value)
    {
        if (!label.StartsWith(Condition, StringComparison.Ordinal))
        {
            yield break;
        }

        string snapshotter = label[Condition.Length..].Split('/')[0];
        foreach (string part in value.Split(','))
        {
            int bar = part.IndexOf('|', StringComparison.Ordinal);
            const string UsedAtWord = "usedat";
            if (snapshotter.Length > 0
                && bar > UsedAtWord.Length + 1
                && part.StartsWith(UsedAtWord, StringComparison.Ordinal)
                && part[UsedAtWord.Length] is '<' or '>'
                && GoDuration.TryParse(part[(UsedAtWord.Length + 1)..bar], out TimeSpan age))
            {
                yield return (new GarbageNode(GarbageKind.Snapshot, part[(bar + 1)..], snapshotter), part[UsedAtWord.Length] == '<', age);
            }
        }
    }

    /// <summary>True when the moment in the text has passed; a text that is no moment never passes.</summary>
    public static bool IsPast(string text, DateTimeOffset now) => TryMoment(text, out DateTimeOffset moment) && moment < now;

    /// <summary>Reads a moment as Go's RFC 3339 layouts do.</summary>
    public static bool TryMoment(string text, out DateTimeOffset moment)
    {
        moment = default;
        return text.Contains('T', StringComparison.Ordinal)
            && DateTimeOffset.TryParse(Trimmed(text), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out moment);
    }

    // Go writes nine digits of a second, .NET reads seven.
    private static string Trimmed(string text)
    {
        int point = text.IndexOf('.', StringComparison.Ordinal);
        int end = point + 1;
        while (point >= 0 && end < text.Length && char.IsAsciiDigit(text[end]))
        {
            end++;
        }

        return point >= 0 && end - point > 8 ? text[..(point + 8)] + text[end..] : text;
    }

    private static GarbageNode? Read(string label, string value, string prefix)
    {
        if (!label.StartsWith(prefix, StringComparison.Ordinal))
        {
            return null;
        }

        string rest = label[prefix.Length..];
        const string SnapshotWord = "snapshot.";
        if (rest.StartsWith(SnapshotWord, StringComparison.Ordinal))
        {
            string snapshotter = rest[SnapshotWord.Length..].Split('/')[0];
            return snapshotter.Length == 0 ? null : new GarbageNode(GarbageKind.Snapshot, value, snapshotter);
        }

        int end = rest.AsSpan().IndexOfAny('.', '/');
        return (end < 0 ? rest : rest[..end]) switch
        {
            "content" => new GarbageNode(GarbageKind.Content, value),
            "image" => new GarbageNode(GarbageKind.Image, value),
            "container" when prefix == BackReference => new GarbageNode(GarbageKind.Container, value),
            "mount" when prefix == Reference => new GarbageNode(GarbageKind.Mount, value),
            _ => null,
        };
    }
}
