// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using Containerd.Actors.Oci.Images;

namespace Containerd.Actors.Cli.Options;

/// <summary>The options by which verbs choose among the images of an index.</summary>
internal static class PlatformOptions
{
    /// <summary><c>--platform</c>, any number of times.</summary>
    public static Option<string[]> Several(string description) =>
        new("--platform") { Description = description, HelpName = "OS/ARCH", Arity = ArgumentArity.ZeroOrMore };

    /// <summary>The platforms that were named.</summary>
    /// <exception cref="FormatException">A text is no platform.</exception>
    public static IReadOnlyList<Platform> Read(ParseResult parsed, Option<string[]> option) =>
        [.. (parsed.GetValue(option) ?? []).Select(Platforms.Parse)];

    /// <summary>A platform as the daemon reads it.</summary>
    public static Types.Platform ToWire(Platform platform) => new()
    {
        Os = platform.Os,
        Architecture = platform.Architecture,
        Variant = platform.Variant ?? "",
        OsVersion = platform.OsVersion ?? "",
    };
}
