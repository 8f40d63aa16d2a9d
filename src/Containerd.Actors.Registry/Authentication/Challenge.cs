// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Registry.Authentication;

/// <summary>What a registry asks for before it answers: a scheme and its parameters.</summary>
/// <param name="Scheme">In lower case: <c>bearer</c>, <c>basic</c>.</param>
/// <param name="Parameters">Names in lower case.</param>
internal sealed record Challenge(string Scheme, IReadOnlyDictionary<string, string> Parameters)
{
    // What a sane registry sends has a few hundred characters and one or two challenges.
    private const int LengthMax = 16 * 1024;
    private const int CountMax = 16;

    /// <summary>A parameter; empty when absent.</summary>
    public string this[string name] => Parameters.GetValueOrDefault(name, "");

    /// <summary>Reads the value of a <c>WWW-Authenticate</c> header; what cannot be read ends the list.</summary>
    /// <remarks>RFC 9110 §11.6.1: several challenges may share a header, and commas separate both challenges and parameters.</remarks>
    public static IReadOnlyList<Challenge> Parse(string header)
    {
        var found = new List<Challenge>();
        if (header.Length > LengthMax)
        {
            return found;
        }

        int at = 0;
        while (found.Count < CountMax)
        {
            SkipSeparators(header, ref at);
            string scheme = Token(header, ref at);
            if (scheme.Length == 0)
            {
                return found;
            }

            var parameters = new Dictionary<string, string>(StringComparer.Ordinal);
            found.Add(new Challenge(scheme.ToLowerInvariant(), parameters));
            while (Parameter(header, ref at) is { } parameter)
            {
                parameters.TryAdd(parameter.Name, parameter.Value);
            }
        }

        return found;
    }

    // A token that no "=" follows is the next challenge's scheme: the position goes back to it.
    private static (string Name, string Value)? Parameter(string text, ref int at)
    {
        int start = at;
        SkipSeparators(text, ref at);
        string name = Token(text, ref at);
        int end = at;
        SkipSpaces(text, ref at);
        if (name.Length == 0 || at >= text.Length || text[at] != '=')
        {
            at = name.Length == 0 ? end : start;
            return null;
        }

        at++;
        SkipSpaces(text, ref at);
        return (name.ToLowerInvariant(), at < text.Length && text[at] == '"' ? Quoted(text, ref at) : Token(text, ref at));
    }

    private static string Quoted(string text, ref int at)
    {
        var value = new System.Text.StringBuilder();
        for (at++; at < text.Length; at++)
        {
            if (text[at] == '"')
            {
                at++;
                break;
            }

            if (text[at] == '\\' && at + 1 < text.Length)
            {
                at++;
            }

            value.Append(text[at]);
        }

        return value.ToString();
    }

    private static string Token(string text, ref int at)
    {
        int start = at;
        while (at < text.Length && (char.IsAsciiLetterOrDigit(text[at]) || "!#$%&'*+-.^_`|~/:".Contains(text[at], StringComparison.Ordinal)))
        {
            at++;
        }

        return text[start..at];
    }

    private static void SkipSpaces(string text, ref int at)
    {
        while (at < text.Length && text[at] is (' ' or '\t'))
        {
            at++;
        }
    }

    private static void SkipSeparators(string text, ref int at)
    {
        while (at < text.Length && text[at] is (' ' or '\t' or ','))
        {
            at++;
        }
    }
}
