// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;

namespace Containerd.Actors.Core.Masks;

/// <summary>Field masks of objects of which only labels may be changed.</summary>
public static class LabelMask
{
    private const string All = "labels";
    private const string Prefix = "labels.";

    /// <summary>The labels of content after an update with this mask.</summary>
    public static Reply<ImmutableSortedDictionary<string, string>> Content(
        string digest,
        ImmutableSortedDictionary<string, string> stored,
        ImmutableSortedDictionary<string, string> wanted,
        ImmutableArray<string> mask) => Apply(stored, wanted, mask, $"content info \"{digest}\"");

    /// <summary>The labels of a snapshot after an update with this mask.</summary>
    public static Reply<ImmutableSortedDictionary<string, string>> Snapshot(
        string key,
        ImmutableSortedDictionary<string, string> stored,
        ImmutableSortedDictionary<string, string> wanted,
        ImmutableArray<string> mask) => Apply(stored, wanted, mask, $"snapshot \"{key}\"");

    /// <summary>The labels of a namespace after an update with this mask; the path <c>labels</c> is refused for namespaces.</summary>
    public static Reply<ImmutableSortedDictionary<string, string>> Namespace(
        ImmutableSortedDictionary<string, string> stored,
        ImmutableSortedDictionary<string, string> wanted,
        ImmutableArray<string> mask)
    {
        foreach (string path in mask)
        {
            if (!path.StartsWith(Prefix, StringComparison.Ordinal))
            {
                return Reply.Refused<ImmutableSortedDictionary<string, string>>(
                    Error.Bare(ErrorKind.InvalidArgument, $"cannot update \"{path}\" field"));
            }
        }

        // containerd leaves this one without a class.
        return Apply(stored, wanted, mask, "namespace") is Refused<ImmutableSortedDictionary<string, string>> refused
            ? Reply.Refused<ImmutableSortedDictionary<string, string>>(Error.Unknown(refused.Error.While("namespace.Labels").Text))
            : Apply(stored, wanted, mask, "namespace");
    }

    /// <summary>Labels after one path; null if the path is not about labels.</summary>
    internal static ImmutableSortedDictionary<string, string>? Step(
        ImmutableSortedDictionary<string, string> stored, ImmutableSortedDictionary<string, string> wanted, string path)
    {
        if (path == All)
        {
            return LabelRules.Kept(wanted);
        }

        return path.StartsWith(Prefix, StringComparison.Ordinal) ? Step(stored, wanted, path, Prefix) : null;
    }

    /// <summary>The map after a path that names one of its keys: set if wanted has a value for it, removed otherwise.</summary>
    internal static ImmutableSortedDictionary<string, string> Step(
        ImmutableSortedDictionary<string, string> stored, ImmutableSortedDictionary<string, string> wanted, string path, string prefix)
    {
        string key = path[prefix.Length..];
        return wanted.TryGetValue(key, out string? value) && value.Length > 0 ? stored.SetItem(key, value) : stored.Remove(key);
    }

    private static Reply<ImmutableSortedDictionary<string, string>> Apply(
        ImmutableSortedDictionary<string, string> stored,
        ImmutableSortedDictionary<string, string> wanted,
        ImmutableArray<string> mask,
        string what)
    {
        ImmutableSortedDictionary<string, string> labels = mask.IsDefaultOrEmpty ? LabelRules.Kept(wanted) : stored;
        foreach (string path in mask.IsDefault ? [] : mask)
        {
            if (Step(labels, wanted, path) is not { } next)
            {
                return Reply.Refused<ImmutableSortedDictionary<string, string>>(
                    Error.Invalid($"cannot update \"{path}\" field on {what}"));
            }

            labels = next;
        }

        return LabelRules.Validate(labels) is { } error
            ? Reply.Refused<ImmutableSortedDictionary<string, string>>(error)
            : Reply.Done(labels);
    }
}
