// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;

namespace Containerd.Actors.Core.Mounts;

/// <summary>What is done to a mount before it is mounted; a prefix of its type.</summary>
public enum MountTransform
{
    /// <summary><c>format/</c>: templates in its source, target and options are filled in.</summary>
    Format,

    /// <summary><c>mkdir/</c>: the directories that its options name are made.</summary>
    MakeDirectory,

    /// <summary><c>mkfs/</c>: its source is made, a file with a file system in it.</summary>
    MakeFileSystem,
}

/// <summary>A mount with what is to be done to it first.</summary>
/// <param name="Mount">Its type has no known prefix any more.</param>
/// <param name="Transforms">In order.</param>
public sealed record PlannedMount(Mount Mount, ImmutableArray<MountTransform> Transforms);

/// <summary>Who mounts what of a list of mounts: the daemon the first ones, those who want to see the file system the rest.</summary>
/// <remarks>
/// The daemon mounts everything up to the last mount that needs it: those with a handler, and those before a mount that is transformed,
/// which may refer to them. The rest are <i>system</i> mounts, of which only the first may have to be transformed.
/// </remarks>
/// <param name="Held">What the daemon mounts, in order.</param>
/// <param name="System">What is left, in order.</param>
public sealed record MountPlan(ImmutableArray<PlannedMount> Held, ImmutableArray<PlannedMount> System)
{
    /// <summary>Type that the daemon attaches as a loop device instead of mounting it.</summary>
    public const string LoopType = "loop";

    /// <summary>Type of images that the daemon mounts from a file, on a loop device where the kernel wants one.</summary>
    public const string ImageType = "erofs";

    /// <summary>The types that are the daemon's to mount.</summary>
    public static ImmutableArray<string> Handlers { get; } = [ImageType, LoopType];

    /// <summary>Plans mounts; null when none of them needs the daemon.</summary>
    /// <param name="mounts">The mounts, in order.</param>
    /// <param name="isTemporary">True when the daemon is to mount all of them.</param>
    public static MountPlan? Of(ImmutableArray<Mount> mounts, bool isTemporary = false)
    {
        int firstSystem = -1;
        ImmutableArray<PlannedMount>.Builder planned = ImmutableArray.CreateBuilder<PlannedMount>(mounts.Length);
        for (int i = 0; i < mounts.Length; i++)
        {
            PlannedMount mount = Planned(mounts[i]);
            planned.Add(mount);
            if (isTemporary || Handlers.Contains(mount.Mount.Type))
            {
                firstSystem = i + 1;
            }
            else if (!mount.Transforms.IsEmpty)
            {
                firstSystem = i;
            }
        }

        return firstSystem < 0
            ? null
            : new MountPlan([.. planned.Take(firstSystem)], [.. planned.Skip(firstSystem)]);
    }

    /// <summary>True when something has to be made that may take as long as a program does.</summary>
    public bool IsSlow => Held.Concat(System).Any(mount => mount.Transforms.Contains(MountTransform.MakeFileSystem));

    private static PlannedMount Planned(Mount mount)
    {
        ImmutableArray<MountTransform>.Builder transforms = ImmutableArray.CreateBuilder<MountTransform>();
        string type = mount.Type;
        while (type.IndexOf('/', StringComparison.Ordinal) is var slash and >= 0 && Transform(type[..slash]) is { } transform)
        {
            transforms.Add(transform);
            type = type[(slash + 1)..];
        }

        return new PlannedMount(mount with { Type = type }, transforms.ToImmutable());
    }

    private static MountTransform? Transform(string prefix) => prefix switch
    {
        "format" => MountTransform.Format,
        "mkdir" => MountTransform.MakeDirectory,
        "mkfs" => MountTransform.MakeFileSystem,
        _ => null,
    };
}
