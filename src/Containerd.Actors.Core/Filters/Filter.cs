// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using System.Text.RegularExpressions;

namespace Containerd.Actors.Core.Filters;

/// <summary>Gives the value of an object's field.</summary>
/// <param name="path">Field and what is behind it; for maps the parts joined by dots are the key.</param>
/// <param name="value">The value; empty if the object has no such field.</param>
/// <returns>True when the object has the field.</returns>
public delegate bool FieldAdaptor(IReadOnlyList<string> path, out string value);

/// <summary>How a selector compares.</summary>
public enum FilterOperator
{
    /// <summary>The field is there.</summary>
    Present,

    /// <summary>The field is there and equal.</summary>
    Equal,

    /// <summary>The field is absent or different.</summary>
    NotEqual,

    /// <summary>The expression is found in the field; an absent field counts as empty.</summary>
    Matches,
}

/// <summary>One condition of a filter.</summary>
public sealed class Selector
{
    private readonly Regex? _regex;

    internal Selector(ImmutableArray<string> path, FilterOperator op, string value)
    {
        Path = path;
        Operator = op;
        Value = value;
        if (op == FilterOperator.Matches)
        {
            _regex = Compile(value);
        }
    }

    /// <summary>Path of the field.</summary>
    public ImmutableArray<string> Path { get; }

    /// <summary>The comparison.</summary>
    public FilterOperator Operator { get; }

    /// <summary>What to compare with; empty for <see cref="FilterOperator.Present"/>.</summary>
    public string Value { get; }

    /// <summary>True when the object's field fulfils the condition.</summary>
    public bool Matches(FieldAdaptor adaptor)
    {
        bool present = adaptor(Path, out string value);
        return Operator switch
        {
            FilterOperator.Present => present,
            FilterOperator.Equal => present && value == Value,
            FilterOperator.NotEqual => !present || value != Value,
            FilterOperator.Matches => _regex is not null && _regex.IsMatch(present ? value : ""),
            _ => false,
        };
    }

    // NonBacktracking bounds the time by the length of the input and refuses what RE2 has not; both match nothing then.
    private static Regex? Compile(string pattern)
    {
        try
        {
            return new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        }
        catch (Exception refused) when (refused is ArgumentException or NotSupportedException)
        {
            return null;
        }
    }
}

/// <summary>One filter: all of its conditions must hold; without any, everything matches.</summary>
/// <param name="Selectors">The conditions.</param>
public sealed record Filter(ImmutableArray<Selector> Selectors)
{
    /// <summary>True when the object fulfils every condition.</summary>
    public bool Matches(FieldAdaptor adaptor)
    {
        foreach (Selector selector in Selectors)
        {
            if (!selector.Matches(adaptor))
            {
                return false;
            }
        }

        return true;
    }
}
