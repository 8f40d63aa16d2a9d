// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Oci.Images;

namespace Containerd.Actors.Core.Pulls;

/// <summary>Who may fetch which blob now: each blob by one at a time, and no more than a bound of them together.</summary>
/// <remarks>
/// Whoever waited for a blob that another fetched finds it stored when its turn comes. Turns go by arrival, but a blob whose turn
/// cannot come holds up no other.
/// </remarks>
/// <param name="Max">Blobs fetched at a time.</param>
public sealed record DownloadQueue(int Max)
{
    /// <summary>Who fetches what.</summary>
    public ImmutableDictionary<string, Digest> Fetching { get; private init; } = ImmutableDictionary.Create<string, Digest>(StringComparer.Ordinal);

    /// <summary>Who waits for what, first come first.</summary>
    public ImmutableList<(string Holder, Digest Digest)> Waiting { get; private init; } = [];

    /// <summary>Somebody wants to fetch a blob; asking again changes nothing and tells a turn again.</summary>
    /// <returns>The queue, and those whose turn it is now.</returns>
    public (DownloadQueue Queue, ImmutableArray<string> Turns) Ask(string holder, Digest digest)
    {
        if (Fetching.ContainsKey(holder))
        {
            return (this, [holder]);
        }

        return Waiting.Exists(waiting => waiting.Holder == holder)
            ? (this, [])
            : (this with { Waiting = Waiting.Add((holder, digest)) }).Grant();
    }

    /// <summary>Somebody has fetched, or wants no more.</summary>
    /// <returns>The queue, and those whose turn it is now.</returns>
    public (DownloadQueue Queue, ImmutableArray<string> Turns) Leave(string holder) =>
        (this with { Fetching = Fetching.Remove(holder), Waiting = Waiting.RemoveAll(waiting => waiting.Holder == holder) }).Grant();

    private (DownloadQueue, ImmutableArray<string>) Grant()
    {
        ImmutableArray<string>.Builder turns = ImmutableArray.CreateBuilder<string>();
        HashSet<Digest> busy = [.. Fetching.Values];
        ImmutableDictionary<string, Digest> fetching = Fetching;
        ImmutableList<(string, Digest)> waiting = Waiting;
        foreach ((string holder, Digest digest) in Waiting)
        {
            if (fetching.Count >= Max)
            {
                break;
            }

            if (busy.Add(digest))
            {
                fetching = fetching.Add(holder, digest);
                waiting = waiting.Remove((holder, digest));
                turns.Add(holder);
            }
        }

        return (this with { Fetching = fetching, Waiting = waiting }, turns.ToImmutable());
    }
}
