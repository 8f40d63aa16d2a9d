// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Mounts;

namespace Containerd.Actors.Storage.Diff;

/// <summary>Where a layer is extracted to and how removed names are written down there.</summary>
/// <param name="Directory">The directory that becomes the layer's root.</param>
/// <param name="Lowers">Directories of the layers below, nearest first; missing parents take mode and owner from them.</param>
/// <param name="OverlayPrefix">
/// <c>trusted.</c> or <c>user.</c> if removed names become overlayfs whiteouts; null if they are deleted on the spot.
/// </param>
public sealed record ApplyTarget(string Directory, ImmutableArray<string> Lowers, string? OverlayPrefix)
{
    /// <summary>A plain directory: removed names are deleted.</summary>
    public static ApplyTarget Plain(string directory) => new(directory, [], null);

    /// <summary>
    /// The target that mounts describe without mounting them: the upper directory of a single overlay, or the source of a single
    /// writable bind mount. Null for other mounts: mount those first and use <see cref="Plain"/>.
    /// </summary>
    public static ApplyTarget? TryFrom(IReadOnlyList<Mount> mounts)
    {
        if (mounts is [{ Type: "bind" } bind] && !bind.Options.Contains("ro"))
        {
            return Plain(bind.Source);
        }

        if (mounts is [{ Type: "overlay" } overlay] && Option(overlay, "upperdir") is { } upper)
        {
            string lowers = Option(overlay, "lowerdir") ?? "";
            return new ApplyTarget(
                upper,
                [.. lowers.Split(':', StringSplitOptions.RemoveEmptyEntries)],
                overlay.Options.Contains("userxattr") ? "user." : "trusted.");
        }

        return null;
    }

    private static string? Option(Mount mount, string key) => mount.Options
        .Where(option => option.StartsWith(key + "=", StringComparison.Ordinal))
        .Select(option => option[(key.Length + 1)..])
        .LastOrDefault();
}

/// <summary>What was extracted.</summary>
/// <param name="DiffId">Digest of the uncompressed archive.</param>
/// <param name="Size">Bytes of the uncompressed archive.</param>
public sealed record AppliedLayer(Oci.Images.Digest DiffId, long Size)
{
    /// <summary>Media type of the uncompressed archive.</summary>
    public const string MediaType = "application/vnd.oci.image.layer.v1.tar";

    /// <summary>
    /// Directories that were made because the layer lacks them, empty for the root, when the layers below were not known: they are to get
    /// mode and owner from those (<see cref="Snapshots.ISnapshotBackend.Attach"/>). Parents come first.
    /// </summary>
    public ImmutableArray<string> Inherited { get; init; } = [];

    /// <summary>The descriptor that Diff.Apply answers with.</summary>
    public Oci.Images.Descriptor Descriptor => new(MediaType, DiffId, Size);
}
