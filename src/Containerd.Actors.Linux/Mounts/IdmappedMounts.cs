// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Linux;
using Containerd.Actors.Linux.Interop;
using Containerd.Actors.Protocol.Errors;
using Microsoft.Win32.SafeHandles;

namespace Containerd.Actors.Linux.Mounts;

/// <summary>Mounts that show the owners of files under other ids; mount_setattr(2), kernel 5.12, overlay lowers 5.19.</summary>
internal static class IdmappedMounts
{
    /// <summary>A bind mount of the source with the mappings of the options.</summary>
    public static void Bind(string source, string target, MountOptions options)
    {
        using SafeFileHandle userNamespace = UserNamespaces.Open(options.UidMap, options.GidMap);
        Bind(source, target, options, userNamespace);
    }

    /// <summary>A bind mount of the source with the mappings of a user namespace.</summary>
    public static unsafe void Bind(string source, string target, MountOptions options, SafeFileHandle userNamespace)
    {
        bool recursive = (options.Flags & MountOptions.Recursive) != 0;
        uint recurse = recursive ? (uint)MountCalls.AT_RECURSIVE : 0;
        using SafeFileHandle tree = MountCalls.open_tree(
            MountCalls.AT_FDCWD, source, MountCalls.OPEN_TREE_CLONE | MountCalls.OPEN_TREE_CLOEXEC | recurse);
        if (tree.IsInvalid)
        {
            throw LinuxErrors.Last("open_tree", source);
        }

        var attributes = new MountCalls.MountAttributes
        {
            Set = MountCalls.MOUNT_ATTR_IDMAP,
            UserNamespace = (ulong)userNamespace.DangerousGetHandle(),
        };
        if (MountCalls.mount_setattr(
            tree, string.Empty, (uint)MountCalls.AT_EMPTY_PATH | recurse, &attributes, (nuint)sizeof(MountCalls.MountAttributes)) != 0)
        {
            throw LinuxErrors.Last("mount_setattr", source);
        }

        if (MountCalls.move_mount(tree, string.Empty, MountCalls.AT_FDCWD, target, MountCalls.MOVE_MOUNT_F_EMPTY_PATH) != 0)
        {
            throw LinuxErrors.Last("move_mount", target);
        }
    }

    /// <summary>
    /// Binds every lower directory of an overlay with the mappings to a directory of its own. The overlay keeps what it was given, so
    /// the binds go as soon as it is mounted.
    /// </summary>
    public static IdmappedLowers BindLowers(MountOptions options) => new(options);
}

/// <summary>Idmapped binds of an overlay's lower directories; disposing unmounts them.</summary>
internal sealed class IdmappedLowers : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("ovl-idmapped").FullName;
    private readonly List<string> _places = [];

    public IdmappedLowers(MountOptions options)
    {
        try
        {
            using SafeFileHandle userNamespace = UserNamespaces.Open(options.UidMap, options.GidMap);
            foreach (string lower in LongOverlays.Lowers(options))
            {
                string place = Directory.CreateDirectory(Path.Combine(_root, $"{_places.Count}")).FullName;
                IdmappedMounts.Bind(lower.Replace("\\:", ":", StringComparison.Ordinal), place, options, userNamespace);
                _places.Add(place);
            }
        }
        catch (Exception failure) when (failure is LinuxException or RefusedException)
        {
            Dispose();
            throw;
        }

        Data = [.. options.Data.Select(option => option.StartsWith("lowerdir=", StringComparison.Ordinal)
            ? $"lowerdir={string.Join(':', _places)}"
            : option)];
    }

    /// <summary>The overlay's options with the binds in place of the lower directories.</summary>
    public ImmutableArray<string> Data { get; }

    public void Dispose()
    {
        foreach (string place in _places)
        {
            Mounter.Unmount(place, Mounter.Detach);
        }

        // Not recursive: were a bind still there, what it shows must not be deleted.
        foreach (string place in Directory.GetDirectories(_root))
        {
            Directory.Delete(place, recursive: false);
        }

        Directory.Delete(_root, recursive: false);
    }
}
