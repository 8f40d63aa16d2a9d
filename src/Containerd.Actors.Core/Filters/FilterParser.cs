// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;

namespace Containerd.Actors.Core.Filters;

/// <summary>Reads containerd's filter language.</summary>
/// <remarks>
/// <code>
/// filter    = "" | selector *( "," selector )
/// selector  = fieldpath [ ( "==" | "!=" | "~=" ) value ]
/// fieldpath = field *( "." field )
/// field     = 1*[A-Za-z0-9_] | quoted
/// value     = bare | quoted | between slashes or bars (behind "~=" only)
/// </code>
/// White space between tokens is skipped. Time and memory are linear in the text, which the size of messages bounds.
/// </remarks>
public sealed class FilterParser
{
    private readonly string _text;
    private int _at;

    private FilterParser(string text) => _text = text;

    /// <summary>The filter, or where and why the text is none.</summary>
    public static Reply<Filter> Parse(string text)
    {
        var parser = new FilterParser(text);
        try
        {
            return Reply.Done(new Filter(parser.Selectors()));
        }
        catch (RefusedException refused)
        {
            return Reply.Refused<Filter>(refused.Error);
        }
    }

    private ImmutableArray<Selector> Selectors()
    {
        ImmutableArray<Selector>.Builder selectors = ImmutableArray.CreateBuilder<Selector>();
        SkipSpace();
        if (_at == _text.Length)
        {
            return [];
        }

        while (true)
        {
            selectors.Add(Selector());
            SkipSpace();
            if (_at == _text.Length)
            {
                return selectors.DrainToImmutable();
            }

            if (_text[_at] != ',')
            {
                throw Refusal(_at, "expected a separator or end of input");
            }

            _at++;
        }
    }

    private Selector Selector()
    {
        ImmutableArray<string> path = Path();
        SkipSpace();
        if (_at == _text.Length || _text[_at] == ',')
        {
            return new Selector(path, FilterOperator.Present, "");
        }

        FilterOperator op = Operator();
        SkipSpace();
        return new Selector(path, op, Value(alternativeQuotes: op == FilterOperator.Matches));
    }

    private ImmutableArray<string> Path()
    {
        ImmutableArray<string>.Builder path = ImmutableArray.CreateBuilder<string>();
        while (true)
        {
            SkipSpace();
            path.Add(Field());
            SkipSpace();
            if (_at == _text.Length || _text[_at] != '.')
            {
                return path.DrainToImmutable();
            }

            _at++;
        }
    }

    private string Field()
    {
        if (_at < _text.Length && _text[_at] == '"')
        {
            return Quoted('"');
        }

        int start = _at;
        while (_at < _text.Length && (char.IsAsciiLetterOrDigit(_text[_at]) || _text[_at] == '_'))
        {
            _at++;
        }

        return _at > start ? _text[start.._at] : throw Refusal(start, "expected field or quoted");
    }

    private FilterOperator Operator()
    {
        FilterOperator? op = _text.AsSpan(_at) switch
        {
            ['=', '=', ..] => FilterOperator.Equal,
            ['!', '=', ..] => FilterOperator.NotEqual,
            ['~', '=', ..] => FilterOperator.Matches,
            _ => null,
        };
        if (op is null)
        {
            throw Refusal(_at, _text[_at] is '=' or '!' or '~' ? "unsupported operator" : "expected an operator (\"==\"|\"!=\"|\"~=\")");
        }

        _at += 2;
        return op.Value;
    }

    private string Value(bool alternativeQuotes)
    {
        if (_at == _text.Length)
        {
            throw Refusal(_at, "expected value or quoted");
        }

        char first = _text[_at];
        if (first == '"' || (alternativeQuotes && (first is '/' or '|')))
        {
            return Quoted(first);
        }

        if (first is ',' or '.' or '=' or '!' or '~' or '/' or '|')
        {
            throw Refusal(_at, "expected value or quoted");
        }

        int start = _at;
        while (_at < _text.Length
            && Rune.DecodeFromUtf16(_text.AsSpan(_at), out Rune rune, out int length) == OperationStatus.Done
            && rune.Value != ',' && !Rune.IsWhiteSpace(rune) && IsGraphic(rune))
        {
            _at += length;
        }

        return _at > start ? _text[start.._at] : throw Refusal(start, "expected value or quoted");
    }

    private string Quoted(char quote)
    {
        int start = _at++;
        var value = new StringBuilder();
        // Bytes written as \xHH and \ooo may form runes together: they are collected until something else comes.
        List<byte> bytes = [];
        while (true)
        {
            if (_at == _text.Length || _text[_at] == '\n')
            {
                throw Refusal(start, "quoted literal not terminated");
            }

            char c = _text[_at++];
            if (c == quote)
            {
                Flush();
                return value.ToString();
            }

            if (c != '\\')
            {
                Flush();
                value.Append(c);
            }
            else if (quote == '"')
            {
                Escape();
            }
            else if (_at < _text.Length && _text[_at] == quote)
            {
                // Between slashes or bars only the quote itself is escaped; the rest is the expression's own.
                value.Append(_text[_at++]);
            }
            else
            {
                value.Append(c);
            }
        }

        void Flush()
        {
            if (bytes.Count > 0)
            {
                value.Append(Encoding.UTF8.GetString([.. bytes]));
                bytes.Clear();
            }
        }

        void Escape()
        {
            if (_at == _text.Length)
            {
                throw Refusal(start, "quoted literal not terminated");
            }

            char c = _text[_at++];
            switch (c)
            {
                case 'x':
                    bytes.Add((byte)Number(2, 16));
                    return;
                case >= '0' and <= '7':
                    _at--;
                    int octal = Number(3, 8);
                    bytes.Add(octal <= byte.MaxValue ? (byte)octal : throw Refusal(start, "invalid escape sequence"));
                    return;
            }

            Flush();
            switch (c)
            {
                case 'a': value.Append('\a'); break;
                case 'b': value.Append('\b'); break;
                case 'f': value.Append('\f'); break;
                case 'n': value.Append('\n'); break;
                case 'r': value.Append('\r'); break;
                case 't': value.Append('\t'); break;
                case 'v': value.Append('\v'); break;
                case '\\' or '"': value.Append(c); break;
                case 'u' or 'U':
                    int code = Number(c == 'u' ? 4 : 8, 16);
                    value.Append(Rune.IsValid(code) ? new Rune(code).ToString() : throw Refusal(start, "invalid escape sequence"));
                    break;
                default:
                    throw Refusal(start, "invalid escape sequence");
            }
        }

        int Number(int digits, int numberBase)
        {
            if (_at + digits > _text.Length)
            {
                throw Refusal(start, "invalid escape sequence");
            }

            long number = 0;
            for (int i = 0; i < digits; i++)
            {
                int digit = char.IsAsciiHexDigit(_text[_at]) ? Convert.ToInt32(_text[_at].ToString(), 16) : numberBase;
                number = digit < numberBase ? (number * numberBase) + digit : throw Refusal(start, "invalid escape sequence");
                _at++;
            }

            return number <= int.MaxValue ? (int)number : throw Refusal(start, "invalid escape sequence");
        }
    }

    private void SkipSpace()
    {
        while (_at < _text.Length && char.IsWhiteSpace(_text[_at]))
        {
            _at++;
        }
    }

    private RefusedException Refusal(int at, string reason)
    {
        string left = _text[..at];
        string here = at < _text.Length ? _text[at].ToString() : "";
        string right = at < _text.Length ? _text[(at + 1)..] : "";
        return new RefusedException(Error.Invalid($"filters: parse error: [{left} >|{here}|< {right}]: {reason}"));
    }

    private static bool IsGraphic(Rune rune) => Rune.GetUnicodeCategory(rune) is not
        (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse
        or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);
}
