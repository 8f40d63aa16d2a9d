// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Containerd.Actors.Benchmarks.Measures;

namespace Containerd.Actors.Benchmarks.Reports;

/// <summary>Draws ours over the reference's, a bar for each figure that has both, with its goal.</summary>
internal static class RatioPlot
{
    private const int Names = 420;
    private const int Bars = 520;
    private const int Values = 60;
    private const int Row = 24;
    private const int Bar = 14;
    private const int Head = 60;
    private const double MostAtLeast = 1.5;
    private const double MostShown = 4;

    /// <summary>Writes an SVG; nothing when no figure has a ratio.</summary>
    public static void Write(string file, IReadOnlyList<Figure> figures)
    {
        Figure[] compared = [.. figures.Where(figure => figure.Ratio is not null)];
        if (compared.Length == 0)
        {
            return;
        }

        double bottom = Head + (Row * compared.Length);
        Scale ratios = new(Names, Names + Bars, Math.Clamp(compared.Max(figure => figure.Ratio!.Value), MostAtLeast, MostShown));
        Drawing plot = new(Names + Bars + Values, bottom + Row);
        plot.Text(Names, Row / 2, "Containerd.Actors over containerd; the mark is the goal, and green keeps it", isTitle: true);
        foreach (double tick in ratios.Ticks)
        {
            plot.Line(tick == 1 ? "gray" : "gainsboro", 1, (ratios.Of(tick), Head), (ratios.Of(tick), bottom));
            plot.Text(ratios.Of(tick), Head - (Row / 2), tick.ToString("0.##", CultureInfo.InvariantCulture), Anchor.Middle);
        }

        for (int i = 0; i < compared.Length; i++)
        {
            Draw(plot, ratios, compared[i], Head + (Row * (i + 0.5)));
        }

        plot.Save(file);
    }

    private static void Draw(Drawing plot, Scale ratios, Figure figure, double middle)
    {
        double end = ratios.Of(figure.Ratio!.Value);
        plot.Text(Names - 8, middle, figure.Quantity.Name.Replace("`", "", StringComparison.Ordinal), Anchor.End);
        plot.Rectangle(Names, middle - (Bar / 2), end - Names, Bar, figure.IsMet switch { true => "seagreen", false => "indianred", null => "steelblue" });
        plot.Text(end + 6, middle, figure.Ratio.Value.ToString("0.00", CultureInfo.InvariantCulture));
        if (figure.Quantity.Goal?.Ratio is { } goal)
        {
            plot.Line("black", 3, (ratios.Of(goal), middle - (Bar / 2) - 2), (ratios.Of(goal), middle + (Bar / 2) + 2));
        }
    }
}
