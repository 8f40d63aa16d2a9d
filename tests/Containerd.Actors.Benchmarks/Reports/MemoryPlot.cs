// SPDX-License-Identifier: Apache-2.0

using System.Globalization;

namespace Containerd.Actors.Benchmarks.Reports;

/// <summary>One line of a plot: MiB after how many containers.</summary>
internal sealed record PlotLine(string Title, IReadOnlyList<(int At, double Value)> Points);

/// <summary>Draws memory over containers.</summary>
internal static class MemoryPlot
{
    private const int Width = 900;
    private const int Height = 440;
    private const int Left = 60;
    private const int Right = Width - 160;
    private const int Top = 50;
    private const int Bottom = Height - 50;
    private const int Row = 20;
    private const double Headroom = 1.1;

    private static readonly string[] Colors = ["steelblue", "lightskyblue", "seagreen", "yellowgreen"];

    /// <summary>Writes an SVG.</summary>
    public static void Write(string file, string title, IReadOnlyList<PlotLine> lines)
    {
        Scale containers = new(Left, Right, lines.Max(line => line.Points[^1].At));
        Scale memory = new(Bottom, Top, lines.Max(line => line.Points.Max(point => point.Value)) * Headroom);
        Drawing plot = new(Width, Height);
        plot.Text(Left, Row, title, isTitle: true);
        foreach (double tick in memory.Ticks)
        {
            plot.Line("gainsboro", 1, (Left, memory.Of(tick)), (Right, memory.Of(tick)));
            plot.Text(Left - 6, memory.Of(tick), Text(tick), Anchor.End);
        }

        foreach (double tick in containers.Ticks)
        {
            plot.Text(containers.Of(tick), Bottom + (Row / 2), Text(tick), Anchor.Middle);
        }

        plot.Text(Left, Top - (Row / 2), "MiB", Anchor.End);
        plot.Text((Left + Right) / 2, Bottom + (2 * Row), "containers", Anchor.Middle);
        for (int i = 0; i < lines.Count; i++)
        {
            string color = Colors[i % Colors.Length];
            plot.Line(color, 2, [.. lines[i].Points.Select(point => (containers.Of(point.At), memory.Of(point.Value)))]);
            plot.Rectangle(Right + 12, Top + (i * Row), 12, 12, color);
            plot.Text(Right + 30, Top + 6 + (i * Row), lines[i].Title);
        }

        plot.Save(file);
    }

    private static string Text(double value) => value.ToString("#,0.##", CultureInfo.InvariantCulture);
}
