// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using System.Globalization;
using Containerd.Actors.Protocol.Errors;

namespace Containerd.Actors.Core.Mounts;

/// <summary>A directory that a <c>mkdir/</c> mount wants: <c>X-containerd.mkdir.path=PATH[:MODE[:UID:GID]]</c>.</summary>
/// <param name="Path">Absolute path.</param>
/// <param name="Mode">Permission bits; 0700 unless given.</param>
/// <param name="Owner">Its owner; null for the daemon's.</param>
public sealed record MadeDirectory(string Path, uint Mode, (uint User, uint Group)? Owner)
{
    private const string Prefix = "X-containerd.mkdir.";
    private const string PathOption = Prefix + "path=";
    private const uint ModeUsual = 0x1C0; // 0700

    /// <summary>The directories of a mount's options, and the options without them.</summary>
    /// <exception cref="RefusedException">An option is malformed.</exception>
    public static (ImmutableArray<MadeDirectory> Directories, ImmutableArray<string> Options) Of(ImmutableArray<string> options) => (
        [.. options.Where(IsOne).Select(Parse)],
        [.. options.Where(option => !IsOne(option))]);

    private static bool IsOne(string option) => option.StartsWith(Prefix, StringComparison.Ordinal);

    private static MadeDirectory Parse(string option)
    {
        if (!option.StartsWith(PathOption, StringComparison.Ordinal))
        {
            throw Refused(option);
        }

        string[] parts = option[PathOption.Length..].Split(':', 4);
        return parts.Length switch
        {
            1 => new MadeDirectory(parts[0], ModeUsual, null),
            2 => new MadeDirectory(parts[0], Octal(parts[1]), null),
            4 => new MadeDirectory(parts[0], Octal(parts[1]), (Id(parts[2], "uid"), Id(parts[3], "gid"))),
            _ => throw Refused(option),
        };
    }

    private static uint Octal(string text)
    {
        uint mode = 0;
        foreach (char digit in text)
        {
            mode = digit is >= '0' and <= '7' && mode <= 0x1FF ? (mode * 8) + (uint)(digit - '0') : uint.MaxValue;
        }

        return text.Length > 0 && mode <= 0x1FF ? mode : throw new RefusedException(Error.Invalid($"invalid mode {text}"));
    }

    private static uint Id(string text, string what) => uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out uint id)
        ? id
        : throw new RefusedException(Error.Invalid($"invalid {what} \"{text}\""));

    private static RefusedException Refused(string option) => new(Error.Invalid($"invalid mkdir option \"{option}\""));
}
