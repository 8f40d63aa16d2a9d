// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;
using Containerd.Actors.Benchmarks.Measures;

namespace Containerd.Actors.Benchmarks.Reports;

/// <summary>The table of what was measured, in Markdown, and the plot beside it.</summary>
internal sealed class Report(string directory, string conditions)
{
    private const string Head = "| What | Unit | containerd | Containerd.Actors | Ratio | Goal | |\n|---|---|---:|---:|---:|---|---|";

    private readonly List<Figure> _figures = [];
    private readonly List<string> _failures = [];

    /// <summary>Whether a row could not be measured.</summary>
    public bool HasFailures => _failures.Count > 0;

    /// <summary>Adds a figure and prints its line.</summary>
    public void Add(Figure figure)
    {
        _figures.Add(figure);
        Console.WriteLine(Line(figure));
    }

    /// <summary>Adds a row that could not be measured and prints why.</summary>
    public void Add(string row, Exception failure)
    {
        _failures.Add($"{row}: {failure.Message}");
        Console.WriteLine($"failed: {_failures[^1]}");
    }

    /// <summary>Prints the head of the table.</summary>
    public void Begin() => Console.WriteLine($"{conditions}\n\n{Head}");

    /// <summary>Writes table and plot, and prints what is below the table.</summary>
    public void End(IReadOnlyList<string> notes)
    {
        string below = Below(notes);
        Console.WriteLine($"\n{below}");
        Directory.CreateDirectory(directory);
        StringBuilder text = new($"{conditions}\n\n{Head}\n");
        text.AppendJoin('\n', _figures.Select(Line)).Append("\n\n").Append(below).Append('\n');
        string table = Path.Combine(directory, "comparison.md");
        File.WriteAllText(table, text.ToString());
        RatioPlot.Write(Path.Combine(directory, "comparison.svg"), _figures);
        Console.WriteLine($"written: {table}");
    }

    private string Below(IReadOnlyList<string> notes)
    {
        int met = _figures.Count(figure => figure.IsMet == true);
        int missed = _figures.Count(figure => figure.IsMet == false);
        return string.Join(
            "\n",
            [.. notes.Select(note => $"* {note}"), .. _failures.Select(failure => $"* failed: {failure}"), $"* {met} goals met, {missed} short, {_failures.Count} rows failed"]);
    }

    private static string Line(Figure figure) =>
        $"| {figure.Quantity.Name} | {figure.Quantity.Unit} | {Number(figure.Reference)} | {Number(figure.Ours)} | {Ratio(figure.Ratio)} | " +
        $"{figure.Quantity.Goal?.Text(figure.Quantity.Unit)} | {figure.IsMet switch { true => "met", false => "short", null => "" }} |";

    private static string Number(double? value) => value?.ToString(
        Math.Abs(value.Value) switch { >= 100 => "#,0", >= 1 => "0.0", _ => "0.00" }, CultureInfo.InvariantCulture) ?? "–";

    private static string Ratio(double? value) => value?.ToString("0.00", CultureInfo.InvariantCulture) ?? "–";
}
