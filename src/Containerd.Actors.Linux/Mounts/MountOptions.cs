// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using System.Globalization;
using Containerd.Actors.Protocol.Errors;

namespace Containerd.Actors.Linux.Mounts;

/// <summary>fstab-style options told apart as mount(2) wants them.</summary>
/// <param name="Flags">MS_* flags other than propagation.</param>
/// <param name="Propagation">MS_SHARED and the like, with MS_REC where asked for; 0 for none.</param>
/// <param name="Data">What is left for the file system, in order.</param>
/// <param name="UidMap">Mappings of an idmapped mount; empty for none.</param>
/// <param name="GidMap">As <paramref name="UidMap"/>, of groups.</param>
public sealed record MountOptions(
    ulong Flags, ulong Propagation, ImmutableArray<string> Data, ImmutableArray<IdMapping> UidMap, ImmutableArray<IdMapping> GidMap)
{
    /// <summary>True when the source is a file that is to be attached to a loop device.</summary>
    public bool IsLoop { get; init; }

    internal const ulong ReadOnly = 1;
    internal const ulong Remount = 32;
    internal const ulong Bind = 4096;
    internal const ulong Recursive = 16384;

    /// <summary>Flags that belong to one mount and not to its file system: a bind mount takes them only when remounted.</summary>
    internal const ulong PerMount = 1 | 2 | 4 | 8 | 1024 | 2048 | (1 << 21);

    // linux/mount.h, in the words of mount(8). Clearing options stand with Clear.
    private static readonly Dictionary<string, (bool Clear, ulong Flag)> KnownFlags = new(StringComparer.Ordinal)
    {
        ["async"] = (true, 16),
        ["atime"] = (true, 1024),
        ["bind"] = (false, Bind),
        ["defaults"] = (false, 0),
        ["dev"] = (true, 4),
        ["diratime"] = (true, 2048),
        ["dirsync"] = (false, 128),
        ["exec"] = (true, 8),
        ["mand"] = (false, 64),
        ["noatime"] = (false, 1024),
        ["nodev"] = (false, 4),
        ["nodiratime"] = (false, 2048),
        ["noexec"] = (false, 8),
        ["nomand"] = (true, 64),
        ["norelatime"] = (true, 1 << 21),
        ["nostrictatime"] = (true, 1 << 24),
        ["nosuid"] = (false, 2),
        ["rbind"] = (false, Bind | Recursive),
        ["relatime"] = (false, 1 << 21),
        ["remount"] = (false, Remount),
        ["ro"] = (false, ReadOnly),
        ["rw"] = (true, ReadOnly),
        ["strictatime"] = (false, 1 << 24),
        ["suid"] = (true, 2),
        ["sync"] = (false, 16),
    };

    private static readonly Dictionary<string, ulong> KnownPropagations = new(StringComparer.Ordinal)
    {
        ["unbindable"] = 1 << 17,
        ["runbindable"] = (1 << 17) | Recursive,
        ["private"] = 1 << 18,
        ["rprivate"] = (1 << 18) | Recursive,
        ["slave"] = 1 << 19,
        ["rslave"] = (1 << 19) | Recursive,
        ["shared"] = 1 << 20,
        ["rshared"] = (1 << 20) | Recursive,
    };

    /// <summary>Tells options apart. <c>X-containerd.*</c> are containerd's own and dropped; what is not known is left to the file system.</summary>
    /// <exception cref="RefusedException">A mapping is malformed, or there is one of two.</exception>
    public static MountOptions Parse(IEnumerable<string> options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ulong flags = 0;
        ulong propagation = 0;
        ImmutableArray<string>.Builder data = ImmutableArray.CreateBuilder<string>();
        ImmutableArray<IdMapping> uids = [];
        ImmutableArray<IdMapping> gids = [];
        bool isLoop = false;
        foreach (string option in options.Where(option => option.Length > 0))
        {
            if (option.StartsWith("X-containerd.", StringComparison.Ordinal))
            {
                continue;
            }

            if (option == "loop")
            {
                isLoop = true;
            }
            else if (option.StartsWith("uidmap=", StringComparison.Ordinal))
            {
                uids = IdMapping.ParseAll(option["uidmap=".Length..]);
            }
            else if (option.StartsWith("gidmap=", StringComparison.Ordinal))
            {
                gids = IdMapping.ParseAll(option["gidmap=".Length..]);
            }
            else if (KnownPropagations.TryGetValue(option, out ulong type))
            {
                propagation = type;
            }
            else if (KnownFlags.TryGetValue(option, out (bool Clear, ulong Flag) known))
            {
                flags = known.Clear ? flags & ~known.Flag : flags | known.Flag;
            }
            else
            {
                data.Add(option);
            }
        }

        return uids.IsEmpty == gids.IsEmpty
            ? new MountOptions(flags, propagation, data.ToImmutable(), uids, gids) { IsLoop = isLoop }
            : throw new RefusedException(Error.Invalid("mount options: uidmap and gidmap must be given together"));
    }
}

/// <summary>A range of ids as <c>container:host:count</c>.</summary>
public readonly record struct IdMapping(uint Container, uint Host, uint Count)
{
    /// <summary>Parses ranges parted by commas.</summary>
    /// <exception cref="RefusedException">One is malformed or empty.</exception>
    public static ImmutableArray<IdMapping> ParseAll(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return [.. text.Split(',').Select(Parse)];
    }

    private static IdMapping Parse(string text)
    {
        string[] parts = text.Split(':');
        return parts.Length == 3
            && uint.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out uint container)
            && uint.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out uint host)
            && uint.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out uint count)
            && count > 0
            ? new IdMapping(container, host, count)
            : throw new RefusedException(Error.Invalid($"id mapping \"{text}\": is not CONTAINER:HOST:COUNT"));
    }

    /// <inheritdoc />
    public override string ToString() => $"{Container} {Host} {Count}";
}
