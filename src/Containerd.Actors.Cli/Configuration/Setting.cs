// SPDX-License-Identifier: Apache-2.0

using System.Globalization;

namespace Containerd.Actors.Cli.Configuration;

/// <summary>One setting of a containerd configuration.</summary>
/// <param name="Path">Dotted path; parts that are no bare keys are quoted, as TOML wants them.</param>
/// <param name="Value">A string, boolean, <see cref="long"/>, <see cref="double"/>, a list of these, or <see cref="Unreadable"/>.</param>
/// <param name="File">The file that sets it.</param>
/// <param name="Line">The line that sets it.</param>
/// <param name="Written">The path as that file has it; older versions have other names.</param>
internal sealed record Setting(string Path, object Value, string File, int Line, string Written)
{
    /// <summary>Stands for dates and tables in lists, which containerd reads for no key of its own.</summary>
    public static object Unreadable { get; } = new();

    /// <summary>Where it stands, for messages.</summary>
    public string Place => string.Create(CultureInfo.InvariantCulture, $"{File}:{Line}");

    /// <summary>True for what says nothing: an empty text or list, zero, false.</summary>
    public bool IsEmpty => Value is "" or false or 0L or 0.0 or IReadOnlyList<object> { Count: 0 };

    /// <summary>The value as TOML, in one form for equal values.</summary>
    public string Text => Form(Value);

    /// <summary>A path of its parts.</summary>
    public static string Join(IEnumerable<string> parts) => string.Join('.', parts.Select(Quoted));

    private static string Form(object value) => value switch
    {
        string text => $"\"{text}\"",
        bool flag => flag ? "true" : "false",
        long whole => whole.ToString(CultureInfo.InvariantCulture),
        double number => number.ToString("R", CultureInfo.InvariantCulture),
        IReadOnlyList<object> list => $"[{string.Join(", ", list.Select(Form))}]",
        _ => "?",
    };

    private static string Quoted(string part) =>
        part.Length > 0 && part.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')
            ? part
            : $"\"{part.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
}
