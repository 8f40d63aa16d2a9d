// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using System.Text;
using Containerd.Actors.Protocol.Errors;

namespace Containerd.Actors.Core.Namespaces;

/// <summary>The rules for labels of containers, images, content, snapshots and namespaces. Leases and sandboxes have none.</summary>
public static class LabelRules
{
    /// <summary>Longest name and value together, in bytes of UTF-8.</summary>
    public const int LengthMax = 4096;

    private const int NameShown = 64;

    /// <summary>Null when every label is short enough, otherwise the refusal for the first that is not.</summary>
    public static Error? Validate(ImmutableSortedDictionary<string, string> labels)
    {
        foreach ((string name, string value) in labels)
        {
            int length = Encoding.UTF8.GetByteCount(name) + Encoding.UTF8.GetByteCount(value);
            if (length > LengthMax)
            {
                string shown = name.Length > NameShown ? name[..NameShown] : name;
                return Error.Invalid(
                    $"label key and value length ({length} bytes) greater than maximum size ({LengthMax} bytes), key: {shown}");
            }
        }

        return null;
    }

    /// <summary>The labels that are stored: a label without a value is one that is not there.</summary>
    public static ImmutableSortedDictionary<string, string> Kept(ImmutableSortedDictionary<string, string> labels) =>
        labels.Any(label => label.Value.Length == 0)
            ? Protocol.Values.Labels.From(labels.Where(label => label.Value.Length > 0))
            : labels;
}
