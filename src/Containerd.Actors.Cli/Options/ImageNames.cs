// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Cli.Options;

/// <summary>What can be said about an image's name without asking anyone.</summary>
internal static class ImageNames
{
    /// <summary>True if the name begins with a registry's host, so that it says where to pull from.</summary>
    public static bool IsFullyQualified(string name)
    {
        int slash = name.IndexOf('/', StringComparison.Ordinal);
        string host = slash > 0 ? name[..slash] : "";
        return host == "localhost" || host.Contains('.', StringComparison.Ordinal) || host.Contains(':', StringComparison.Ordinal);
    }
}
