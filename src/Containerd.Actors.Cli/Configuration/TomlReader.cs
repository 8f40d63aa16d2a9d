// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Containerd.Actors.Cli.Errors;
using Tomlyn.Parsing;
using Tomlyn.Syntax;

namespace Containerd.Actors.Cli.Configuration;

/// <summary>The settings of a TOML document in the order in which they are written, each with its line.</summary>
/// <remarks>Read from the syntax tree, which needs no reflection and knows the lines.</remarks>
internal static class TomlReader
{
    private const int DepthMax = 16;

    /// <summary>Reads a document: every value under the parts of its path.</summary>
    /// <exception cref="CliFailure">The text is no TOML; the failure names file, line and column.</exception>
    public static IEnumerable<(string[] Path, object Value, int Line)> Read(string text, string file)
    {
        DocumentSyntax document = SyntaxParser.Parse(text, file, true);
        if (document.HasErrors)
        {
            DiagnosticMessage error = document.Diagnostics.First(message => message.Kind == DiagnosticMessageKind.Error);
            TextPosition at = error.Span.Start;
            throw new CliFailure(
                string.Create(CultureInfo.InvariantCulture, $"{file}:{at.Line + 1}:{at.Column + 1}"), error.Message.TrimEnd('.'));
        }

        return Values(document.KeyValues, [], 0).Concat(document.Tables.SelectMany(Table));
    }

    private static IEnumerable<(string[], object, int)> Table(TableSyntaxBase table)
    {
        string[] path = table.Name is { } name ? [.. Parts(name)] : [];

        // No key of containerd's is a list of tables; one that a foreign plugin has is told of by its name alone.
        return table is TableArraySyntax ? [(path, Setting.Unreadable, Line(table))] : Values(table.Items, path, 0);
    }

    private static IEnumerable<(string[], object, int)> Values(IEnumerable<SyntaxNode> nodes, string[] table, int depth)
    {
        foreach (KeyValueSyntax pair in nodes.OfType<KeyValueSyntax>())
        {
            if (pair.Key is not { } key || pair.Value is not { } value)
            {
                continue;
            }

            string[] path = [.. table, .. Parts(key)];
            if (value is InlineTableSyntax inline && depth < DepthMax)
            {
                foreach ((string[], object, int) inner in Values(inline.Items.Select(item => item.KeyValue).OfType<SyntaxNode>(), path, depth + 1))
                {
                    yield return inner;
                }
            }
            else
            {
                yield return (path, Value(value), Line(pair));
            }
        }
    }

    private static object Value(SyntaxNode node) => node switch
    {
        StringValueSyntax text => text.Value ?? "",
        BooleanValueSyntax flag => flag.Value,
        IntegerValueSyntax whole => whole.Value,
        FloatValueSyntax number => number.Value,
        ArraySyntax array => (IReadOnlyList<object>)[.. array.Items.Select(item => item.Value).OfType<SyntaxNode>().Select(Element)],
        _ => Setting.Unreadable,
    };

    private static object Element(SyntaxNode node) => node is ArraySyntax ? Setting.Unreadable : Value(node);

    private static int Line(SyntaxNode node) => node.Span.Start.Line + 1;

    private static List<string> Parts(KeySyntax key) => [Name(key.Key), .. key.DotKeys.Select(dotted => Name(dotted.Key))];

    private static string Name(SyntaxNode? node) => node switch
    {
        StringValueSyntax text => text.Value ?? "",
        BareKeySyntax bare => bare.Key?.Text ?? "",
        _ => node?.ToString() ?? "",
    };
}
