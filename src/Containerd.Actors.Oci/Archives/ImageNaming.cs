// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Oci.Images;

namespace Containerd.Actors.Oci.Archives;

/// <summary>One rule by which images of an archive get names.</summary>
/// <param name="Name">A whole name for the archive's index, or a prefix for the images in it.</param>
/// <param name="IsPrefix">True for a prefix.</param>
/// <param name="AllowsOverwrite">True to take a whole name in the archive also when it does not begin with the prefix.</param>
/// <param name="AddsDigest">True to make a name by digest as well.</param>
/// <param name="SkipsNamedDigest">True to make that name only for images without another.</param>
public sealed record ImageNaming(string Name, bool IsPrefix, bool AllowsOverwrite, bool AddsDigest, bool SkipsNamedDigest);

/// <summary>Applies rules of naming.</summary>
public static class ImageNamings
{
    /// <summary>The names of an archive's index: the whole ones.</summary>
    public static ImmutableArray<string> OfIndex(this IEnumerable<ImageNaming> rules, string name, Digest index) =>
    [
        .. rules.Where(rule => !rule.IsPrefix && rule.Name.Length > 0)
            .Select(rule => rule.AddsDigest ? $"{rule.Name}@{index}" : rule.Name)
            .Prepend(name)
            .Where(name => name.Length > 0)
            .Distinct(StringComparer.Ordinal),
    ];

    /// <summary>The names of an image that the index lists: those that its annotations give below a prefix, and names by digest.</summary>
    public static ImmutableArray<string> OfEntry(this IEnumerable<ImageNaming> rules, Descriptor entry) =>
    [
        .. rules.Where(rule => rule.IsPrefix).SelectMany(rule =>
        {
            string? name = ArchiveNames.Below(entry.Annotations, rule.Name, rule.AllowsOverwrite);
            string? byDigest = rule.AddsDigest && (name is null || !rule.SkipsNamedDigest) ? $"{rule.Name}@{entry.Digest}" : null;
            return new[] { name, byDigest }.OfType<string>();
        }).Distinct(StringComparer.Ordinal),
    ];
}
