// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;

namespace Containerd.Actors.Oci.Images;

/// <summary>Which manifests of an index are wanted.</summary>
/// <param name="Platforms">The platforms wanted, most wanted first; empty wants all.</param>
/// <param name="IncludesRelatives">True to take also what a host of such a platform can run, for example 386 for amd64.</param>
/// <param name="Limit">Most manifests to take, best first; 0 for no limit.</param>
public sealed record PlatformSelection(ImmutableArray<Platform> Platforms, bool IncludesRelatives = false, int Limit = 0)
{
    /// <summary>Everything.</summary>
    public static PlatformSelection All { get; } = new([]);

    /// <summary>The one manifest that runs best on a host of this platform.</summary>
    public static PlatformSelection Best(Platform host) => new([host], IncludesRelatives: true, Limit: 1);

    /// <summary>True when a manifest of this platform is wanted; one that names none is, since only its configuration tells.</summary>
    public bool Wants(Platform? platform) => platform is null || Platforms.IsEmpty || Rank(platform) is not null;

    /// <summary>The wanted entries of an index in its order; with a limit the best ones first.</summary>
    public IReadOnlyList<Descriptor> Choose(Index index)
    {
        ArgumentNullException.ThrowIfNull(index);
        IEnumerable<Descriptor> wanted = index.Manifests.Where(manifest => Wants(manifest.Platform));
        return Limit == 0
            ? [.. wanted]
            : [.. wanted.OrderBy(manifest => (manifest.Platform is null ? null : Rank(manifest.Platform)) ?? (int.MaxValue, int.MaxValue)).Take(Limit)];
    }

    // Position of the best wanted platform that fits, and how well it does; null for none.
    private (int, int)? Rank(Platform platform)
    {
        for (int i = 0; i < Platforms.Length; i++)
        {
            if (IncludesRelatives)
            {
                int rank = new PlatformMatcher(Platforms[i]).Rank(platform);
                if (rank < int.MaxValue)
                {
                    return (i, rank);
                }
            }
            else if (Images.Platforms.Same(Platforms[i], platform))
            {
                return (i, 0);
            }
        }

        return null;
    }
}
