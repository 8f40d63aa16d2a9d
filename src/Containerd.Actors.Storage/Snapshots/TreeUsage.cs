// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Linux.Files;

namespace Containerd.Actors.Storage.Snapshots;

/// <summary>Counts what a tree takes on disk.</summary>
internal static class TreeUsage
{
    /// <summary>Blocks and inodes of a tree with its root; each inode counts once. Files that vanish meanwhile are passed over.</summary>
    public static SnapshotUsage Of(string path)
    {
        using DirectoryHandle root = DirectoryHandle.Open(path);
        HashSet<(ulong Device, ulong Inode)> seen = [];
        long blocks = 0;
        Count(root.Status());
        Walk(root);
        return new SnapshotUsage(blocks * 512, seen.Count);

        void Count(FileStatus status) => blocks += seen.Add((status.Device, status.Inode)) ? status.Blocks : 0;

        void Walk(DirectoryHandle directory)
        {
            foreach (string name in directory.List())
            {
                if (directory.TryStatus(name) is not { } status)
                {
                    continue;
                }

                Count(status);
                if (status.Kind == FileKind.Directory)
                {
                    using DirectoryHandle child = directory.OpenChild(name);
                    Walk(child);
                }
            }
        }
    }
}
