// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Oci.Images;
using Containerd.Actors.Oci.References;

namespace Containerd.Actors.Registry.Pushing;

/// <summary>Chooses the repository of the same registry from which a blob may be mounted instead of uploaded.</summary>
public static class MountCandidate
{
    /// <summary>
    /// Of the repositories in a blob's source label the one whose path is nearest to the target's, as it is the likeliest to be
    /// readable with the same rights; null when the blob is not known to be in another repository there.
    /// </summary>
    /// <param name="target">Where the image is pushed.</param>
    /// <param name="labels">Labels of the blob.</param>
    public static string? Of(ImageReference target, IReadOnlyDictionary<string, string> labels)
    {
        ArgumentNullException.ThrowIfNull(target);
        ArgumentNullException.ThrowIfNull(labels);
        if (!labels.TryGetValue(ContentLabels.DistributionSource + target.Host, out string? sources))
        {
            return null;
        }

        string[] path = target.Repository.Split('/');
        return sources.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Where(repository => repository != target.Repository
                && ImageReference.TryParse($"{target.Host}/{repository}", out ImageReference? parsed) && parsed.Repository == repository)
            .MaxBy(repository => Common(path, repository.Split('/')));
    }

    private static int Common(string[] left, string[] right)
    {
        int count = 0;
        while (count < left.Length && count < right.Length && left[count] == right[count])
        {
            count++;
        }

        return count;
    }
}
