// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Protocol.Containers;

namespace Containerd.Actors.Core.Containers;

/// <summary>The paths of a container's record that an update may name.</summary>
public static class ContainerMask
{
    private const string LabelPrefix = "labels.";
    private const string ExtensionPrefix = "extensions.";

    /// <summary>What an update without a mask replaces.</summary>
    public static IReadOnlyList<string> All { get; } = ["labels", "spec", "extensions", "image", "snapshotkey"];

    /// <summary>A record with one path taken from another; null when no update may name the path.</summary>
    /// <remarks>A label absent from the source is removed; an extension once stored is only ever overwritten.</remarks>
    public static ContainerRecord? Take(ContainerRecord record, ContainerRecord source, string path)
    {
        if (path.StartsWith(LabelPrefix, StringComparison.Ordinal))
        {
            string key = path[LabelPrefix.Length..];
            return record with
            {
                Labels = source.Labels.TryGetValue(key, out string? value) ? record.Labels.SetItem(key, value) : record.Labels.Remove(key),
            };
        }

        if (path.StartsWith(ExtensionPrefix, StringComparison.Ordinal))
        {
            string key = path[ExtensionPrefix.Length..];
            return source.Extensions.TryGetValue(key, out Protocol.Values.AnyValue? value)
                ? record with { Extensions = record.Extensions.SetItem(key, value) }
                : record;
        }

        return path switch
        {
            "labels" => record with { Labels = source.Labels },
            "spec" => record with { Spec = source.Spec },
            "extensions" => record with { Extensions = record.Extensions.SetItems(source.Extensions) },
            "image" => record with { Image = source.Image },
            "snapshotkey" => record with { SnapshotKey = source.SnapshotKey },
            _ => null,
        };
    }
}
