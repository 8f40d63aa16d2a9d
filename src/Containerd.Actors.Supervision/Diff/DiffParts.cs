// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Diff;

namespace Containerd.Actors.Supervision.Diff;

/// <summary>The differs of the node.</summary>
/// <param name="Order">Names in the order in which they are asked.</param>
/// <param name="Proxied">Those in other processes.</param>
public sealed record DiffParts(ImmutableArray<string> Order, ImmutableArray<IProxiedDiffer> Proxied)
{
    /// <summary>Name of the daemon's own differ.</summary>
    public const string Walking = "walking";

    /// <summary>The daemon's own differ alone.</summary>
    public static DiffParts Own { get; } = new([Walking], []);

    /// <summary>The differ at a place of the order: null for the daemon's own.</summary>
    public IProxiedDiffer? At(int place) => Proxied.FirstOrDefault(differ => differ.Name == Order[place]);
}
