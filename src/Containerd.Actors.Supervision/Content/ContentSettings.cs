// SPDX-License-Identifier: Apache-2.0

using Akka.Configuration;

namespace Containerd.Actors.Supervision.Content;

/// <summary>The keys of <c>containerd.content</c>; their meaning is in <c>hocon/reference/content.conf</c>.</summary>
/// <param name="IsShared">
/// True if a namespace may take over content of any other by naming its digest; false if only of those that offer theirs.
/// </param>
public sealed record ContentSettings(bool IsShared)
{
    /// <summary>Path of the keys.</summary>
    public const string Path = "containerd.content";

    /// <summary>Label of a namespace that offers its content to others where content is isolated.</summary>
    public const string ShareableLabel = "containerd.io/namespace.shareable";

    /// <summary>containerd's default.</summary>
    public static ContentSettings Shared { get; } = new(IsShared: true);

    /// <summary>Reads the keys.</summary>
    /// <exception cref="ConfigurationException">A key is missing or has a value it cannot have.</exception>
    public static ContentSettings From(Config config) => config.GetString($"{Path}.sharing-policy") switch
    {
        "shared" => Shared,
        "isolated" => new ContentSettings(IsShared: false),
        var other => throw new ConfigurationException($"{Path}.sharing-policy must be shared or isolated, not \"{other}\""),
    };
}
