// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Protocol.Errors;
using Tomlyn.Parsing;
using Tomlyn.Syntax;

namespace Containerd.Actors.Registry.Hosts;

/// <summary>The values of a TOML document in the order in which they are written: strings, booleans, lists and tables.</summary>
/// <remarks>Order matters: mirrors are tried as listed. Read from the syntax tree, which needs no reflection.</remarks>
internal sealed class TomlTree
{
    // Deeper than any hosts.toml; a list of lists is the most that one needs.
    private const int DepthMax = 8;

    // Stands for numbers and dates, which no key has: a reader that expects something else refuses it.
    private static readonly object Unread = new();

    private readonly List<KeyValuePair<string, object>> _items = [];

    public IReadOnlyList<KeyValuePair<string, object>> Items => _items;

    public object? this[string key] => _items.Find(item => item.Key == key).Value;

    /// <summary>Reads a document.</summary>
    /// <exception cref="RefusedException">The text is no TOML; the message names the file.</exception>
    public static TomlTree Parse(string text, string file)
    {
        DocumentSyntax document = SyntaxParser.Parse(text, file, true);
        if (document.HasErrors)
        {
            throw new RefusedException(Error.Invalid($"failed to parse {file}: {document.Diagnostics[0].Message}"));
        }

        var root = new TomlTree();
        root.AddAll(document.KeyValues, 0);
        foreach (TableSyntaxBase table in document.Tables)
        {
            TomlTree place = table.Name is { } name ? root.At(Path(name)) : root;
            place.AddAll(table.Items, 0);
        }

        return root;
    }

    private void AddAll(IEnumerable<SyntaxNode> nodes, int depth)
    {
        foreach (KeyValueSyntax pair in nodes.OfType<KeyValueSyntax>())
        {
            if (pair.Key is { } key && pair.Value is { } value && Value(value, depth) is { } read)
            {
                List<string> path = Path(key);
                At(path[..^1])._items.Add(new(path[^1], read));
            }
        }
    }

    private TomlTree At(List<string> path)
    {
        TomlTree place = this;
        foreach (string name in path)
        {
            if (place[name] is not TomlTree next)
            {
                next = new TomlTree();
                place._items.Add(new(name, next));
            }

            place = next;
        }

        return place;
    }

    private static List<string> Path(KeySyntax key) =>
        [Name(key.Key), .. key.DotKeys.Select(dotted => Name(dotted.Key))];

    private static string Name(SyntaxNode? node) => node switch
    {
        StringValueSyntax text => text.Value ?? "",
        BareKeySyntax bare => bare.Key?.Text ?? "",
        _ => node?.ToString() ?? "",
    };

    private static object? Value(SyntaxNode node, int depth)
    {
        if (depth > DepthMax)
        {
            return null;
        }

        switch (node)
        {
            case StringValueSyntax text:
                return text.Value;
            case BooleanValueSyntax boolean:
                return boolean.Value;
            case ArraySyntax array:
                return array.Items.Select(item => item.Value is null ? null : Value(item.Value, depth + 1)).OfType<object>().ToList();
            case InlineTableSyntax table:
                var tree = new TomlTree();
                tree.AddAll(table.Items.Select(item => item.KeyValue).OfType<SyntaxNode>(), depth + 1);
                return tree;
            default:
                return Unread;
        }
    }
}
