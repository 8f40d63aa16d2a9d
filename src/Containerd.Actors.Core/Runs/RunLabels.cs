// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;

namespace Containerd.Actors.Core.Runs;

/// <summary>Labels by which a run tells a later daemon what is still to be done.</summary>
public static class RunLabels
{
    /// <summary>On a container that is to be removed when it has ended.</summary>
    public const string AutoRemove = "containerd-actors/auto-remove";

    /// <summary>True when the container is to be removed when it has ended.</summary>
    public static bool Removes(ImmutableSortedDictionary<string, string> labels)
    {
        ArgumentNullException.ThrowIfNull(labels);
        return labels.GetValueOrDefault(AutoRemove) == "true";
    }
}
