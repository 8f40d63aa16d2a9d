// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Containerd.Actors.Protocol.Errors;

namespace Containerd.Actors.Storage.Snapshots;

/// <summary>Bounds on what a snapshot may hold, which clients wish for in labels.</summary>
internal static class SnapshotQuotas
{
    /// <summary>Most bytes that a snapshot may have of its own.</summary>
    public const string SizeLabel = "containerd.io/snapshot/max-size";

    private const string Labels = "containerd.io/snapshot/max-";

    /// <summary>The bound on bytes; null for none.</summary>
    /// <param name="labels">Labels of the snapshot.</param>
    /// <param name="directory">Where it is to be, for the refusal.</param>
    /// <param name="canHold">True if a bound on bytes can be held there. One that nothing would hold is refused.</param>
    /// <exception cref="RefusedException">A bound is none, or nothing would hold it.</exception>
    public static long? Size(IReadOnlyDictionary<string, string> labels, string directory, bool canHold)
    {
        long? size = null;
        foreach ((string label, string value) in labels.Where(label => label.Key.StartsWith(Labels, StringComparison.Ordinal)))
        {
            if (!canHold || label != SizeLabel)
            {
                throw new RefusedException(Error.NotImplemented($"snapshot label {label}={value}: directories of \"{directory}\" have no quotas"));
            }

            size = long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out long bytes) && bytes > 0
                ? bytes
                : throw new RefusedException(Error.Invalid($"snapshot label {label}={value}: must be a number of bytes"));
        }

        return size;
    }
}
