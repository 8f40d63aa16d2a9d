// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;

namespace Containerd.Actors.Protocol.Values;

/// <summary>Maps of names to texts, sorted by byte order of the name.</summary>
public static class Labels
{
    /// <summary>No labels.</summary>
    public static ImmutableSortedDictionary<string, string> None { get; } =
        ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);

    /// <summary>Labels from pairs; a later pair of the same name wins.</summary>
    public static ImmutableSortedDictionary<string, string> From(IEnumerable<KeyValuePair<string, string>> pairs) =>
        None.SetItems(pairs);
}
