// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;

namespace Containerd.Actors.Core.Filters;

/// <summary>The filters of one request: one of them must match; without any, everything does.</summary>
public sealed class FilterSet
{
    private readonly ImmutableArray<Filter> _filters;

    private FilterSet(ImmutableArray<Filter> filters) => _filters = filters;

    /// <summary>Matches everything.</summary>
    public static FilterSet All { get; } = new([]);

    /// <summary>Reads filters.</summary>
    /// <exception cref="RefusedException">One of them is no filter.</exception>
    public static FilterSet Parse(IEnumerable<string> filters) => TryParse(filters).Value;

    /// <summary>Reads filters, or says why one of them is none.</summary>
    public static Reply<FilterSet> TryParse(IEnumerable<string> filters)
    {
        ImmutableArray<Filter>.Builder parsed = ImmutableArray.CreateBuilder<Filter>();
        foreach (string text in filters)
        {
            switch (FilterParser.Parse(text))
            {
                case Done<Filter> done:
                    parsed.Add(done.Result);
                    break;
                case Refused<Filter> refused:
                    return Reply.Refused<FilterSet>(refused.Error);
            }
        }

        return Reply.Done(new FilterSet(parsed.ToImmutable()));
    }

    /// <summary>True when a filter matches the object.</summary>
    public bool Matches(FieldAdaptor adaptor)
    {
        foreach (Filter filter in _filters)
        {
            if (filter.Matches(adaptor))
            {
                return true;
            }
        }

        return _filters.IsEmpty;
    }
}
