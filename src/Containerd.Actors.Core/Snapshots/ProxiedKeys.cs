// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using System.Globalization;

namespace Containerd.Actors.Core.Snapshots;

/// <summary>Keys that snapshots of namespaces have in a plugin: <c>NAMESPACE/NUMBER/KEY</c>, as containerd makes them.</summary>
public static class ProxiedKeys
{
    /// <summary>The key of a snapshot.</summary>
    public static string Of(string ns, long number, string key) => string.Create(CultureInfo.InvariantCulture, $"{ns}/{number}/{key}");

    /// <summary>The number in a key; null if the plugin made the key itself.</summary>
    public static long? Number(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        string[] parts = key.Split('/', 3);
        return parts.Length == 3 && long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : null;
    }

    /// <summary>What may be removed from a plugin, children before their parents.</summary>
    /// <param name="held">Everything it holds.</param>
    /// <param name="known">Keys that namespaces know; they and what they are made of stay.</param>
    /// <param name="mayGo">False for numbers, or null for a key of the plugin's own, about which nothing is known yet.</param>
    public static ImmutableArray<string> Condemned(
        IEnumerable<ProxiedSnapshot> held, IReadOnlySet<string> known, Func<long?, bool> mayGo)
    {
        ArgumentNullException.ThrowIfNull(held);
        ArgumentNullException.ThrowIfNull(known);
        ArgumentNullException.ThrowIfNull(mayGo);
        Dictionary<string, ProxiedSnapshot> left = held.DistinctBy(snapshot => snapshot.Key).ToDictionary(snapshot => snapshot.Key);
        ImmutableArray<string>.Builder condemned = ImmutableArray.CreateBuilder<string>();
        while (true)
        {
            HashSet<string> parents = [.. left.Values.Select(snapshot => snapshot.Parent)];
            string[] leaves = [.. left.Keys.Where(key => !parents.Contains(key) && !known.Contains(key) && mayGo(Number(key)))];
            if (leaves.Length == 0)
            {
                return condemned.ToImmutable();
            }

            condemned.AddRange(leaves);
            Array.ForEach(leaves, key => left.Remove(key));
        }
    }
}
