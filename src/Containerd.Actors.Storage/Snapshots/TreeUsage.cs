// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Linux.Files;

namespace Containerd.Actors.Storage.Snapshots;

/// <summary>Counts what a tree takes on disk.</summary>
internal static class TreeUsage
{
    /// <summary>Blocks and inodes of a tree with its root; each inode counts once. Files that vanish meanwhile are passed over.</summary>
    public static SnapshotUsage Of(string path) => Of(path, []);

    /// <summary>
    /// Of a tree that began as a copy of another under the same inode numbers: its root, and what has been made or changed since.
    /// </summary>
    public static SnapshotUsage Of(string path, string origin)
    {
        HashSet<State> unchanged = [];
        using DirectoryHandle root = DirectoryHandle.Open(origin);
        Walk(root);
        return Of(path, unchanged);

        void Walk(DirectoryHandle directory)
        {
            foreach (string name in directory.List())
            {
                if (directory.TryStatus(name) is not { } status)
                {
                    continue;
                }

                unchanged.Add(State.Of(status));
                if (status.Kind == FileKind.Directory)
                {
                    using DirectoryHandle child = directory.OpenChild(name);
                    Walk(child);
                }
            }
        }
    }

    private static SnapshotUsage Of(string path, HashSet<State> unchanged)
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

                if (!unchanged.Contains(State.Of(status)))
                {
                    Count(status);
                }

                if (status.Kind == FileKind.Directory)
                {
                    using DirectoryHandle child = directory.OpenChild(name);
                    Walk(child);
                }
            }
        }
    }

    // Who writes to a file moves its time; who replaces it makes an inode.
    private readonly record struct State(ulong Inode, FileKind Kind, uint Mode, uint UserId, uint GroupId, long Size, FileTime ModifiedAt)
    {
        public static State Of(FileStatus status) => new(status.Inode, status.Kind, status.Mode, status.UserId, status.GroupId, status.Size, status.ModifiedAt);
    }
}
