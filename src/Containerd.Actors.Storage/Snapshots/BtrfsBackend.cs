// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using System.Globalization;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Linux.Files;
using Containerd.Actors.Linux.Mounts;
using Containerd.Actors.Protocol.Errors;

namespace Containerd.Actors.Storage.Snapshots;

/// <summary>Snapshots as subvolumes of a btrfs: <c>snapshots/N</c>, each a snapshot of its parent's.</summary>
/// <remarks>
/// A parent becomes read-only when the first snapshot is made of it and not when it is committed, because a commit whose record is
/// refused leaves an active snapshot that is written to. Mounts name subvolumes by path, where containerd's name them by number: that is
/// known without asking the disk.
/// </remarks>
public sealed class BtrfsBackend : ISnapshotBackend
{
    private readonly SnapshotDirectories _directories;
    private readonly string _device;
    private readonly string _volume;

    private BtrfsBackend(SnapshotDirectories directories, string device, string volume) =>
        (_directories, _device, _volume) = (directories, device, volume);

    /// <inheritdoc />
    public string Name => "btrfs";

    /// <inheritdoc />
    public string Root => _directories.Root;

    /// <inheritdoc />
    public bool Rebases => false;

    /// <inheritdoc />
    public bool Copies => false;

    /// <inheritdoc />
    public ImmutableArray<string> Capabilities => [];

    /// <summary>Opens the backend in <c>io.containerd.snapshotter.v1.btrfs</c>; null, with the reason, where that is no btrfs.</summary>
    public static BtrfsBackend? TryOpen(string root, out Error? reason)
    {
        Directory.CreateDirectory(root, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        string path = Resolved(root);
        // Of mounts on one place the last is seen.
        MountinfoEntry? mount = Mountinfo.Read().Where(entry => IsBelow(path, entry.MountPoint)).OrderBy(entry => entry.MountPoint.Length).LastOrDefault();
        reason = mount switch
        {
            { Type: "btrfs" } when path.Contains(',', StringComparison.Ordinal) || mount.Root.Contains(',', StringComparison.Ordinal) =>
                Error.FailedPrecondition($"path {root} has a comma in it, which no mount option may have"),
            { Type: "btrfs" } => null,
            _ => Error.FailedPrecondition($"path {root} ({mount?.Type}) must be a btrfs filesystem to be used with the btrfs snapshotter"),
        };
        return reason is null
            ? new BtrfsBackend(new SnapshotDirectories(path), mount!.Source, Join(mount.Root, path[mount.MountPoint.TrimEnd('/').Length..]))
            : null;
    }

    /// <inheritdoc />
    public void Create(long id, SnapshotKind kind, IReadOnlyList<long> parents, IReadOnlyDictionary<string, string> labels)
    {
        long? bound = SnapshotQuotas.Size(labels, _directories.Path, canHold: true);
        string name = id.ToString(CultureInfo.InvariantCulture);
        using DirectoryHandle all = DirectoryHandle.Open(_directories.Path);
        Subvolumes.Remove(all, name);
        if (parents.Count == 0)
        {
            Subvolumes.Create(all, name);
            all.ChangeMode(name, 0x1ED); // 0755
        }
        else
        {
            using DirectoryHandle parent = all.OpenChild(parents[0].ToString(CultureInfo.InvariantCulture));
            Subvolumes.SetReadOnly(parent, isReadOnly: true);
            Subvolumes.Snapshot(all, name, parent, kind == SnapshotKind.View);
        }

        if (kind == SnapshotKind.Active)
        {
            Bound(all, name, bound);
        }
    }

    /// <inheritdoc />
    public ImmutableArray<Mount> Mounts(
        long id, SnapshotKind kind, IReadOnlyList<long> parents, IReadOnlyDictionary<string, string> labels)
    {
        string subvolume = string.Create(CultureInfo.InvariantCulture, $"subvol={_volume}/snapshots/{id}");
        return [new Mount("btrfs", _device, "", kind == SnapshotKind.Active ? [subvolume] : [subvolume, "ro"])];
    }

    /// <inheritdoc />
    public SnapshotUsage Usage(long id) => TreeUsage.Of(_directories.Of(id));

    /// <inheritdoc />
    public SnapshotUsage Usage(long id, long? parent) =>
        parent is { } below ? TreeUsage.Of(_directories.Of(id), _directories.Of(below)) : Usage(id);

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
    public void Remove(long id)
    {
        using DirectoryHandle all = DirectoryHandle.Open(_directories.Path);
        Subvolumes.Remove(all, id.ToString(CultureInfo.InvariantCulture));
    }

    /// <inheritdoc />
    public IReadOnlyList<long> List() => _directories.List();

    private void Bound(DirectoryHandle all, string name, long? bytes)
    {
        bool isBounded = false;
        try
        {
            using DirectoryHandle made = all.OpenChild(name);
            isBounded = Subvolumes.TryLimit(made, bytes) || bytes is null;
        }
        finally
        {
            if (!isBounded)
            {
                Subvolumes.Remove(all, name);
            }
        }

        if (!isBounded)
        {
            throw new RefusedException(Error.NotImplemented(
                $"snapshot label {SnapshotQuotas.SizeLabel}={bytes}: quotas are not enabled on the btrfs of \"{_directories.Path}\" (btrfs quota enable)"));
        }
    }

    private static string Resolved(string root)
    {
        using DirectoryHandle handle = DirectoryHandle.Open(root);
        return new FileInfo($"/proc/self/fd/{handle.Number}").LinkTarget ?? Path.GetFullPath(root);
    }

    private static bool IsBelow(string path, string mountPoint) =>
        mountPoint == "/" || path == mountPoint || path.StartsWith(mountPoint + "/", StringComparison.Ordinal);

    private static string Join(string volume, string below) => volume.TrimEnd('/') + below;
}
