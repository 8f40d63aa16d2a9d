// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;

namespace Containerd.Actors.Oci.Images;

/// <summary>Reads, normalises and prints platforms as containerd does, and knows the one of this host.</summary>
/// <remarks>Rules of the platforms library that containerd and docker share.</remarks>
public static partial class Platforms
{
    private static readonly HashSet<string> SystemsKnown = new(StringComparer.Ordinal)
    {
        "aix", "android", "darwin", "dragonfly", "freebsd", "illumos", "linux", "netbsd", "openbsd", "plan9", "solaris", "windows",
    };

    private static readonly HashSet<string> ArchitecturesKnown = new(StringComparer.Ordinal)
    {
        "386", "amd64", "arm", "arm64", "loong64", "mips", "mipsle", "mips64", "mips64le", "ppc64", "ppc64le", "riscv64", "s390x", "wasm",
    };

    /// <summary>The platform that this process runs on, normalised.</summary>
    public static Platform Host { get; } = Normalise(new Platform("linux", RuntimeInformation.OSArchitecture switch
    {
        Architecture.X64 => "amd64",
        Architecture.X86 => "386",
        Architecture.Arm64 => "arm64",
        Architecture.Arm or Architecture.Armv6 => "arm",
        Architecture other => other.ToString().ToLowerInvariant(),
    }, RuntimeInformation.OSArchitecture == Architecture.Armv6 ? "v6" : null));

    /// <summary>Reads <c>os</c>, <c>arch</c>, <c>os/arch</c> or <c>os/arch/variant</c>; what is left out is the host's.</summary>
    /// <exception cref="FormatException">The text is not a platform.</exception>
    public static Platform Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Contains('*', StringComparison.Ordinal))
        {
            throw new FormatException($"\"{text}\": wildcards not yet supported");
        }

        string[] parts = text.Split('/');
        foreach (string part in parts)
        {
            if (!Component().IsMatch(part))
            {
                throw new FormatException(
                    $"\"{part}\" is an invalid component of \"{text}\": platform specifier component must match \"{Component()}\"");
            }
        }

        return parts switch
        {
            [string one] => ParseOne(one.ToLowerInvariant(), text),
            [string os, string architecture] => Normalise(new Platform(os, architecture)),
            [string os, string architecture, string variant] => Normalise(new Platform(os, architecture, variant)),
            _ => throw new FormatException($"\"{text}\": cannot parse platform specifier"),
        };
    }

    /// <summary>The same platform in Go's words: <c>x86_64</c> becomes <c>amd64</c>, <c>aarch64</c> <c>arm64</c>, <c>armhf</c> <c>arm/v7</c>.</summary>
    public static Platform Normalise(Platform platform)
    {
        ArgumentNullException.ThrowIfNull(platform);
        string os = platform.Os.ToLowerInvariant() is var lower && lower == "macos" ? "darwin" : lower;
        string architecture = platform.Architecture.ToLowerInvariant();
        string? variant = string.IsNullOrEmpty(platform.Variant) ? null : platform.Variant.ToLowerInvariant();
        (architecture, variant) = architecture switch
        {
            "i386" => ("386", null),
            "x86_64" or "x86-64" or "amd64" => ("amd64", variant == "v1" ? null : variant),
            "aarch64" or "arm64" => ("arm64", variant is "8" or "v8" or "v8.0" ? null : variant),
            "armhf" => ("arm", "v7"),
            "armel" => ("arm", "v6"),
            "arm" => ("arm", variant switch { null or "7" => "v7", "5" or "6" or "8" => "v" + variant, _ => variant }),
            _ => (architecture, variant),
        };
        return platform with { Os = os, Architecture = architecture, Variant = variant };
    }

    /// <summary>True when both are the same in Go's words; versions of the operating system count where both name one.</summary>
    public static bool Same(Platform left, Platform right)
    {
        Platform one = Normalise(left);
        Platform other = Normalise(right);
        return one.Os == other.Os && one.Architecture == other.Architecture && one.Variant == other.Variant
            && (string.IsNullOrEmpty(one.OsVersion) || string.IsNullOrEmpty(other.OsVersion) || one.OsVersion == other.OsVersion);
    }

    /// <summary><c>os/arch</c> or <c>os/arch/variant</c>.</summary>
    public static string Text(Platform platform)
    {
        ArgumentNullException.ThrowIfNull(platform);
        return string.IsNullOrEmpty(platform.Variant)
            ? $"{platform.Os}/{platform.Architecture}"
            : $"{platform.Os}/{platform.Architecture}/{platform.Variant}";
    }

    /// <summary>What a host of this platform can run, best first: older variants of it behind it, then its 32-bit relatives.</summary>
    public static IReadOnlyList<Platform> RunnableOn(Platform host)
    {
        Platform best = Normalise(host);
        var order = new List<Platform> { best };
        int variant = VariantNumber(best.Variant);
        switch (best.Architecture)
        {
            case "amd64":
                for (int older = variant - 1; older > 1; older--)
                {
                    order.Add(best with { Variant = $"v{older}" });
                }

                if (best.Variant is not null)
                {
                    order.Add(best with { Variant = null });
                }

                order.Add(best with { Architecture = "386", Variant = null });
                break;
            case "arm":
                AddArm(variant - 1);
                break;
            case "arm64":
                if (best.Variant is not null)
                {
                    order.Add(best with { Variant = null });
                }

                AddArm(8);
                break;
            default:
                break;
        }

        return order;

        void AddArm(int newest)
        {
            for (int older = newest; older >= 5; older--)
            {
                order.Add(best with { Architecture = "arm", Variant = $"v{older}" });
            }
        }
    }

    // "v7" is 7, "v8.2" is 8, anything else 0.
    private static int VariantNumber(string? variant)
    {
        ReadOnlySpan<char> digits = variant.AsSpan().TrimStart('v');
        int dot = digits.IndexOf('.');
        bool isNumber = int.TryParse(dot < 0 ? digits : digits[..dot], NumberStyles.None, CultureInfo.InvariantCulture, out int number);
        return isNumber && number < 100 ? number : 0;
    }

    private static Platform ParseOne(string word, string text)
    {
        if (SystemsKnown.Contains(word) || word == "macos")
        {
            return Normalise(new Platform(word, Host.Architecture, Host.Variant));
        }

        Platform platform = Normalise(new Platform(Host.Os, word));
        return ArchitecturesKnown.Contains(platform.Architecture)
            ? platform
            : throw new FormatException($"\"{text}\": unknown operating system or architecture");
    }

    [GeneratedRegex("^[A-Za-z0-9_.-]+$", RegexOptions.CultureInvariant)]
    private static partial Regex Component();
}
