// SPDX-License-Identifier: Apache-2.0

using System.Text;

namespace Containerd.Actors.Cli.Output;

/// <summary>Lays rows out in columns that fit the terminal: nothing wraps, what is too wide ends in an ellipsis.</summary>
/// <remarks>
/// When the rows are too wide the widest columns give way first, down to a floor. The last column is not padded. Control
/// characters, which an image's labels could smuggle in, are shown as question marks.
/// </remarks>
internal sealed class Table(params string[] headings)
{
    private const string Gap = "  ";
    private const int ColumnFloor = 6;

    private readonly List<string[]> _rows = [];

    /// <summary>Adds a row; it must have as many cells as there are headings.</summary>
    public void Add(params string[] cells)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(cells.Length, headings.Length);
        _rows.Add([.. cells.Select(Printable)]);
    }

    /// <summary>The table's lines, headings first.</summary>
    /// <param name="width">Columns of the terminal; 0 for no limit.</param>
    public IEnumerable<string> Lines(int width)
    {
        int[] widths = Fit(width);
        yield return Line(headings, widths);
        foreach (string[] row in _rows)
        {
            yield return Line(row, widths);
        }
    }

    /// <summary>The text, cut to a width with an ellipsis.</summary>
    public static string Cut(string text, int width) => width switch
    {
        _ when text.Length <= width => text,
        < 1 => "",
        _ => text[..(width - 1)] + "…",
    };

    private static string Line(string[] cells, int[] widths)
    {
        var line = new StringBuilder();
        for (int column = 0; column < cells.Length; column++)
        {
            line.Append(column == 0 ? "" : Gap).Append(Cut(cells[column], widths[column]).PadRight(widths[column]));
        }

        return line.ToString().TrimEnd();
    }

    private static string Printable(string text) =>
        text.Any(char.IsControl) ? string.Concat(text.Select(c => char.IsControl(c) ? '?' : c)) : text;

    private int[] Fit(int width)
    {
        int[] widths = [.. headings.Select((heading, column) => _rows.Select(row => row[column].Length).Append(heading.Length).Max())];
        int excess = width <= 0 ? 0 : widths.Sum() + (Gap.Length * (widths.Length - 1)) - width;
        while (excess > 0 && widths.Max() > ColumnFloor)
        {
            widths[Array.IndexOf(widths, widths.Max())]--;
            excess--;
        }

        return widths;
    }
}
