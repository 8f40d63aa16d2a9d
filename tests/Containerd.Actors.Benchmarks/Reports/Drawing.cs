// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Xml.Linq;

namespace Containerd.Actors.Benchmarks.Reports;

/// <summary>Where a text ends, seen from its place.</summary>
internal enum Anchor
{
    /// <summary>It begins there.</summary>
    Start,

    /// <summary>It is centred there.</summary>
    Middle,

    /// <summary>It ends there.</summary>
    End,
}

/// <summary>An SVG in the making: the few shapes that plots need, on white. Lengths are pixels, from the upper left.</summary>
internal sealed class Drawing
{
    private const int TextSize = 13;
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    private readonly XElement _root;

    /// <summary>An empty one.</summary>
    public Drawing(double width, double height)
    {
        _root = new XElement(
            Svg + "svg", Length("width", width), Length("height", height), new XAttribute("font-family", "sans-serif"), new XAttribute("font-size", TextSize));
        Rectangle(0, 0, width, height, "white");
    }

    /// <summary>A filled rectangle.</summary>
    public void Rectangle(double x, double y, double width, double height, string color) => _root.Add(new XElement(
        Svg + "rect", Length("x", x), Length("y", y), Length("width", width), Length("height", height), new XAttribute("fill", color)));

    /// <summary>A line through points.</summary>
    public void Line(string color, double thickness, params (double X, double Y)[] points) => _root.Add(new XElement(
        Svg + "polyline",
        new XAttribute("points", string.Join(' ', points.Select(point => $"{Number(point.X)},{Number(point.Y)}"))),
        new XAttribute("fill", "none"),
        new XAttribute("stroke", color),
        Length("stroke-width", thickness)));

    /// <summary>A text whose letters are centred on this height.</summary>
    public void Text(double x, double y, string text, Anchor anchor = Anchor.Start, bool isTitle = false) => _root.Add(new XElement(
        Svg + "text",
        Length("x", x),
        Length("y", y + (TextSize * 0.35)),
        new XAttribute("text-anchor", anchor.ToString().ToLowerInvariant()),
        isTitle ? new XAttribute("font-weight", "bold") : null,
        text));

    /// <summary>Writes it.</summary>
    public void Save(string file) => File.WriteAllText(file, _root + "\n");

    private static XAttribute Length(string name, double value) => new(name, Number(value));

    private static string Number(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);
}
