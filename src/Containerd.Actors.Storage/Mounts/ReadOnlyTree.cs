// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Linux.Mounts;

namespace Containerd.Actors.Storage.Mounts;

/// <summary>A tree that is mounted for as long as one piece of work reads it. Others may write to it meanwhile.</summary>
internal sealed class ReadOnlyTree : IDisposable
{
    private readonly ScratchMounts _usable;

    private ReadOnlyTree(ScratchMounts usable, string path) => (_usable, Path) = (usable, path);

    /// <summary>Where it is mounted.</summary>
    public string Path { get; }

    /// <summary>Mounts it.</summary>
    /// <param name="mounts">What a snapshotter says is to be mounted.</param>
    /// <param name="activations">Mounts what takes more than a mount.</param>
    /// <param name="scratch">Directory for mount points.</param>
    /// <param name="cancellationToken">Cancelled when nobody waits any more.</param>
    public static ReadOnlyTree Open(
        ImmutableArray<Mount> mounts, ActivationDirectories activations, string scratch, CancellationToken cancellationToken)
    {
        ScratchMounts usable = ScratchMounts.Of(mounts, activations, scratch, cancellationToken);
        ReadOnlyTree tree = new(usable, System.IO.Path.Combine(scratch, $"tree-{Guid.NewGuid():N}"));
        try
        {
            Directory.CreateDirectory(tree.Path);
            Mounter.MountAll([.. usable.Mounts.Select(ReadOnly)], tree.Path);
            return tree;
        }
        catch
        {
            tree.Dispose();
            throw;
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        if (Directory.Exists(Path))
        {
            Mounter.UnmountAll(Path);
            Directory.Delete(Path);
        }

        _usable.Dispose();
    }

    // overlayfs.rst: an upper directory must not be used by two mounts at once, but it may be a lower one of another.
    private static Mount ReadOnly(Mount mount)
    {
        if (mount.Type != "overlay")
        {
            return mount with { Options = [.. mount.Options.Where(option => option != "rw" && option != "ro"), "ro"] };
        }

        string? upper = mount.Options.FirstOrDefault(option => option.StartsWith("upperdir=", StringComparison.Ordinal))?["upperdir=".Length..];
        return upper is null
            ? mount
            : mount with
            {
                Options =
                [
                    .. mount.Options
                        .Where(option => !option.StartsWith("upperdir=", StringComparison.Ordinal) && !option.StartsWith("workdir=", StringComparison.Ordinal))
                        .Select(option => option.StartsWith("lowerdir=", StringComparison.Ordinal) ? $"lowerdir={upper}:{option["lowerdir=".Length..]}" : option),
                ],
            };
    }
}
