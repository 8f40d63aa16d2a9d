// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Oci.References;

namespace Containerd.Actors.Oci.Archives;

/// <summary>How the names of images are written into archives and read from them.</summary>
/// <remarks>containerd's annotation holds the whole name; OCI's holds what docker calls a tag.</remarks>
public static class ArchiveNames
{
    /// <summary>Annotation of an index entry: the whole name of the image.</summary>
    public const string ImageName = "io.containerd.image.name";

    /// <summary>Annotation of an index entry: the name of the image in its repository.</summary>
    public const string ReferenceName = "org.opencontainers.image.ref.name";

    /// <summary>The target with annotations that tell its name.</summary>
    public static Descriptor Named(Descriptor target, string name)
    {
        ArgumentNullException.ThrowIfNull(target);
        ImmutableSortedDictionary<string, string> annotations =
            target.Annotations ?? ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);
        return target with { Annotations = annotations.SetItem(ImageName, name).SetItem(ReferenceName, Tag(name)) };
    }

    /// <summary>What stands behind the repository of a name: tag, digest or both; the whole name when it is no reference.</summary>
    public static string Tag(string name) => ImageReference.TryParse(name, out ImageReference? reference)
        ? reference.Tag + (reference.Digest is { } digest ? "@" + digest : "")
        : name;

    /// <summary>The name as docker shows it, without what it takes for granted; null when docker could not read it.</summary>
    public static string? Familiar(string name)
    {
        if (!ImageReference.TryParse(name, out ImageReference? reference) || (reference.Tag is null && reference.Digest is null))
        {
            return null;
        }

        string locator = reference.Locator;
        foreach (string implied in (ReadOnlySpan<string>)["docker.io/library/", "docker.io/"])
        {
            if (locator.StartsWith(implied, StringComparison.Ordinal))
            {
                locator = locator[implied.Length..];
                break;
            }
        }

        return locator + name[reference.Locator.Length..];
    }

    /// <summary>The name that an index entry gives its image below a prefix; null when it gives none that fits.</summary>
    /// <param name="annotations">Annotations of the entry.</param>
    /// <param name="prefix">A name without tag; a tag alone is put behind it.</param>
    /// <param name="takesAll">True to take a whole name also when it does not begin with the prefix.</param>
    public static string? Below(IReadOnlyDictionary<string, string>? annotations, string prefix, bool takesAll)
    {
        string? whole = annotations?.GetValueOrDefault(ImageName);
        if (!string.IsNullOrEmpty(whole))
        {
            // A whole name is taken as it is or not at all.
            return Translate(whole, prefix, takesAll) == whole ? whole : null;
        }

        string? name = annotations?.GetValueOrDefault(ReferenceName);
        return string.IsNullOrEmpty(name) ? null : Translate(name, prefix, takesAll);
    }

    private static string? Translate(string name, string prefix, bool takesAll)
    {
        if (!name.AsSpan().ContainsAny('/', ':', '@'))
        {
            return $"{prefix}:{name}";
        }

        bool isBelow = name.StartsWith(prefix, StringComparison.Ordinal) && (name.Length == prefix.Length || name[prefix.Length] is '/' or ':' or '@');
        return takesAll || isBelow ? name : null;
    }
}
