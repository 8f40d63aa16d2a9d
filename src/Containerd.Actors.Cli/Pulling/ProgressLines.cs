// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Cli.Output;
using Containerd.Node.V1;

namespace Containerd.Actors.Cli.Pulling;

/// <summary>Draws the state of a pull: one line for the whole, one per blob. Pure: state in, lines out.</summary>
internal static class ProgressLines
{
    private const int BarMin = 10;
    private const int BarMax = 40;
    private const int DigestWidth = 12;
    private const int StageWidth = 10;
    private const int AmountWidth = 22;

    /// <summary>Lines for a terminal of this width, none wider than it.</summary>
    public static IReadOnlyList<string> Draw(PullProgress progress, int width)
    {
        var lines = new List<string> { Table.Cut($"{progress.Reference}: {Stage(progress)}", width) };
        int bar = Math.Clamp(width - DigestWidth - StageWidth - AmountWidth - 5, 0, BarMax);
        foreach (LayerProgress layer in progress.Layers)
        {
            string drawn = bar < BarMin ? "" : Bar(layer, bar) + " ";
            string line = $"{ShortDigest(layer.Digest),-DigestWidth}  {layer.Stage,-StageWidth} {drawn}{Amount(layer)}";
            lines.Add(Table.Cut(line.TrimEnd(), width));
        }

        return lines;
    }

    /// <summary>Lines for a log: what has changed its stage since <paramref name="before"/>, and nothing else.</summary>
    public static IEnumerable<string> Changes(PullProgress? before, PullProgress now)
    {
        if (before?.Stage != now.Stage)
        {
            yield return $"{now.Reference}: {Stage(now)}";
        }

        foreach (LayerProgress layer in now.Layers)
        {
            if (before?.Layers.FirstOrDefault(known => known.Digest == layer.Digest)?.Stage != layer.Stage)
            {
                yield return $"{ShortDigest(layer.Digest)}: {layer.Stage} {Sizes.Format(layer.Total)}";
            }
        }
    }

    /// <summary>The first twelve characters of the hash.</summary>
    public static string ShortDigest(string digest)
    {
        string hex = digest[(digest.IndexOf(':', StringComparison.Ordinal) + 1)..];
        return hex.Length > DigestWidth ? hex[..DigestWidth] : hex;
    }

    private static string Stage(PullProgress progress) => progress.Stage switch
    {
        "completed" when progress.Digest.Length > 0 => $"completed {ShortDigest(progress.Digest)}",
        "failed" when progress.Error.Length > 0 => $"failed: {progress.Error}",
        _ => progress.Stage,
    };

    private static string Bar(LayerProgress layer, int width)
    {
        double share = IsStored(layer) ? 1 : layer.Total > 0 ? Math.Clamp((double)layer.Offset / layer.Total, 0, 1) : 0;
        int filled = (int)Math.Floor(share * (width - 2));
        return "[" + new string('=', filled) + (share < 1 && filled < width - 2 ? ">" : "").PadRight(width - 2 - filled) + "]";
    }

    private static string Amount(LayerProgress layer) => IsStored(layer)
        ? Sizes.Format(layer.Total)
        : $"{Sizes.Format(layer.Offset)} / {(layer.Total > 0 ? Sizes.Format(layer.Total) : "?")}";

    private static bool IsStored(LayerProgress layer) => layer.Stage is "stored" or "unpacking" or "done" or "exists";
}
