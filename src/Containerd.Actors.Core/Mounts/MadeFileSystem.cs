// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using System.Globalization;
using Containerd.Actors.Protocol.Errors;

namespace Containerd.Actors.Core.Mounts;

/// <summary>The file system that a <c>mkfs/</c> mount wants in its source: <c>X-containerd.mkfs.size=</c>, <c>fs=</c> and <c>uuid=</c>.</summary>
/// <param name="Type"><c>ext2</c>, <c>ext3</c>, <c>ext4</c> (unless given) or <c>xfs</c>.</param>
/// <param name="Size">Bytes of the file.</param>
/// <param name="Uuid">Its id; empty for one made up.</param>
public sealed record MadeFileSystem(string Type, long Size, string Uuid)
{
    private const string Prefix = "X-containerd.mkfs.";

    /// <summary>The file system of a mount's options, and the options without it.</summary>
    /// <exception cref="RefusedException">An option is malformed or unknown, or the size is missing.</exception>
    public static (MadeFileSystem FileSystem, ImmutableArray<string> Options) Of(ImmutableArray<string> options)
    {
        MadeFileSystem made = new("ext4", 0, "");
        foreach (string option in options.Where(IsOne))
        {
            string[] parts = option[Prefix.Length..].Split('=', 2);
            made = parts switch
            {
                ["size", var size] => made with { Size = Bytes(size) },
                ["fs", "ext2" or "ext3" or "ext4" or "xfs"] => made with { Type = parts[1] },
                ["fs", var other] => throw new RefusedException(Error.Invalid($"unsupported filesystem \"{other}\"")),
                ["uuid", var uuid] => Guid.TryParseExact(uuid, "D", out _)
                    ? made with { Uuid = uuid }
                    : throw new RefusedException(Error.Invalid($"bad option uuid: \"{uuid}\" is none")),
                _ => throw new RefusedException(Error.Invalid($"unknown mount option {parts[0]}")),
            };
        }

        return made.Size > 0
            ? (made, [.. options.Where(option => !IsOne(option))])
            : throw new RefusedException(Error.Invalid("mkfs requires mkfs.size option"));
    }

    /// <summary>The program that makes it, with its arguments but for the file.</summary>
    public (string Program, ImmutableArray<string> Arguments) Command => (Type, Uuid) switch
    {
        ("xfs", "") => ("mkfs.xfs", ["-q"]),
        ("xfs", _) => ("mkfs.xfs", ["-q", "-m", $"uuid={Uuid}"]),
        (_, "") => ($"mkfs.{Type}", ["-q"]),
        _ => ($"mkfs.{Type}", ["-q", "-U", Uuid]),
    };

    private static bool IsOne(string option) => option.StartsWith(Prefix, StringComparison.Ordinal);

    // A number and perhaps k, m, g, t or p, with or without a following b or ib; all of them count in 1024s.
    private static long Bytes(string text)
    {
        string number = text.TrimEnd('b', 'B').TrimEnd('i', 'I').TrimEnd(' ');
        int power = number.Length == 0 ? 0 : "kmgtp".IndexOf(char.ToLowerInvariant(number[^1]), StringComparison.Ordinal) + 1;
        return double.TryParse(power > 0 ? number[..^1] : number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double count)
            && count * Math.Pow(1024, power) is >= 1 and < long.MaxValue
            ? (long)(count * Math.Pow(1024, power))
            : throw new RefusedException(Error.Invalid($"bad option size: \"{text}\" is no size"));
    }
}
