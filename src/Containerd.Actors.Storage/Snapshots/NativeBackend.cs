// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Linux.Files;

namespace Containerd.Actors.Storage.Snapshots;

/// <summary>Snapshots as full copies of their parents: <c>snapshots/N</c>. Needs nothing from the kernel, and much space.</summary>
public sealed class NativeBackend : ISnapshotBackend
{
    private readonly SnapshotDirectories _directories;

    private NativeBackend(SnapshotDirectories directories) => _directories = directories;

    /// <inheritdoc />
    public string Name => "native";

    /// <inheritdoc />
    public string Root => _directories.Root;

    /// <inheritdoc />
    public bool Rebases => false;

    /// <inheritdoc />
    public bool Copies => true;

    /// <inheritdoc />
    public ImmutableArray<string> Capabilities => [];

    /// <summary>Opens the backend in <c>io.containerd.snapshotter.v1.native</c> and makes what is missing.</summary>
    public static NativeBackend Open(string root)
    {
        Directory.CreateDirectory(root);
        return new NativeBackend(new SnapshotDirectories(Path.GetFullPath(root)));
    }

    /// <inheritdoc />
    public void Create(long id, SnapshotKind kind, IReadOnlyList<long> parents, IReadOnlyDictionary<string, string> labels) =>
        _directories.Create(id, labels, made =>
        {
            made.ChangeMode(".", 0x1ED); // 0755
            if (kind == SnapshotKind.Active && parents.Count > 0)
            {
                using DirectoryHandle parent = DirectoryHandle.Open(_directories.Of(parents[0]));
                TreeCopy.Copy(parent, made);
            }
        });

    /// <inheritdoc />
    public ImmutableArray<Mount> Mounts(
        long id, SnapshotKind kind, IReadOnlyList<long> parents, IReadOnlyDictionary<string, string> labels)
    {
        bool active = kind == SnapshotKind.Active;
        string source = _directories.Of(active || parents.Count == 0 ? id : parents[0]);
        return [new Mount("bind", source, "", ["rbind", active ? "rw" : "ro"])];
    }

    /// <inheritdoc />
    public SnapshotUsage Usage(long id) => TreeUsage.Of(_directories.Of(id));

    /// <inheritdoc />
    public void Commit(long id, bool synchronize)
    {
        if (synchronize)
        {
            using DirectoryHandle handle = DirectoryHandle.Open(_directories.Of(id));
            handle.SynchronizeFileSystem();
        }
    }

    /// <inheritdoc />
    public void Remove(long id) => _directories.Remove(id);

    /// <inheritdoc />
    public IReadOnlyList<long> List() => _directories.List();
}
