// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Storage.Diff.Tar;

namespace Containerd.Actors.Storage.Diff;

/// <summary>Names of a layer's entries as clean paths below its root.</summary>
internal static class LayerPaths
{
    /// <summary>Marks a name as removed.</summary>
    public const string Whiteout = ".wh.";

    /// <summary>Marks aufs' own files.</summary>
    public const string Meta = ".wh..wh.";

    /// <summary>Marks a directory as hiding all that lies below it.</summary>
    public const string Opaque = ".wh..wh..opq";

    /// <summary>
    /// The path without leading, doubled and trailing slashes and without <c>.</c>; empty for the root. An absolute name is taken from
    /// the layer's root, as containerd does; a name with <c>..</c> is refused.
    /// </summary>
    public static string Clean(string name)
    {
        string[] parts = name.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (name.Contains('\0', StringComparison.Ordinal) || Array.Exists(parts, static part => part == ".."))
        {
            throw LayerLimits.Malformed($"entry \"{name}\": path leaves the layer");
        }

        return string.Join('/', parts.Where(static part => part != "."));
    }

    /// <summary>Everything before the last slash; empty for none.</summary>
    public static string Parent(string path)
    {
        int slash = path.LastIndexOf('/');
        return slash < 0 ? "" : path[..slash];
    }

    /// <summary>Everything behind the last slash.</summary>
    public static string Name(string path) => path[(path.LastIndexOf('/') + 1)..];
}
