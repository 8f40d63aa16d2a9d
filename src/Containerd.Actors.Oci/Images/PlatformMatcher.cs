// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Oci.Images;

/// <summary>Chooses among the manifests of an index those that a host can run, best first.</summary>
/// <remarks>As containerd's default matcher: an exact match wins over an older variant, and that over a 32-bit relative.</remarks>
public sealed class PlatformMatcher(Platform host)
{
    private readonly IReadOnlyList<Platform> _order = Platforms.RunnableOn(host);

    /// <summary>The matcher for this host.</summary>
    public static PlatformMatcher Default { get; } = new(Platforms.Host);

    /// <summary>True when the host can run the platform.</summary>
    public bool Match(Platform platform) => Rank(platform) < int.MaxValue;

    /// <summary>0 for the best fit, <see cref="int.MaxValue"/> for none.</summary>
    public int Rank(Platform platform)
    {
        Platform normal = Platforms.Normalise(platform);
        for (int i = 0; i < _order.Count; i++)
        {
            Platform known = _order[i];
            if (known.Os == normal.Os && known.Architecture == normal.Architecture && known.Variant == normal.Variant)
            {
                return i;
            }
        }

        return int.MaxValue;
    }

    /// <summary>The manifests that the host can run, best first; equals keep the order of the index.</summary>
    /// <remarks>A manifest without a platform comes last: only its configuration tells. Attestations (platform <c>unknown</c>) never match.</remarks>
    public IReadOnlyList<Descriptor> Choose(Index index)
    {
        ArgumentNullException.ThrowIfNull(index);
        return [.. index.Manifests
            .Where(manifest => manifest.Platform is null || Match(manifest.Platform))
            .OrderBy(manifest => manifest.Platform is null ? int.MaxValue : Rank(manifest.Platform))];
    }
}
