// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Content;
using Containerd.Actors.Core.Images;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Oci.Images;

namespace Containerd.Actors.Core.Sandboxes;

/// <summary>Finds the files of an unpacked image by labels alone, as garbage collection does.</summary>
public static class UnpackedImage
{
    // Index, manifest, configuration: nothing that is an image lies deeper.
    private const int DepthMax = 4;

    /// <summary>The snapshot with all layers of the image; null when it is not there, or not unpacked for this snapshotter.</summary>
    /// <remarks>Content refers to its parts; the configuration, a part like others, refers to the snapshot.</remarks>
    public static string? TopSnapshot(NamespaceState state, string image, string snapshotter) =>
        state.Images.TryGetValue(image, out ImageRecord? record) ? Below(state, record.Target.Digest, snapshotter, DepthMax) : null;

    private static string? Below(NamespaceState state, Digest digest, string snapshotter, int depth)
    {
        if (depth == 0 || !state.Content.TryGetValue(digest, out ContentRecord? content))
        {
            return null;
        }

        if (content.Labels.TryGetValue(ContentLabels.SnapshotReference + snapshotter, out string? key)
            && state.Snapshots.ContainsKey(new SnapshotName(snapshotter, key)))
        {
            return key;
        }

        return content.Labels
            .Where(label => label.Key.StartsWith(ContentLabels.ContentReference, StringComparison.Ordinal))
            .Select(label => Digest.TryParse(label.Value, out Digest part) ? Below(state, part, snapshotter, depth - 1) : null)
            .FirstOrDefault(found => found is not null);
    }
}
