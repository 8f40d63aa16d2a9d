// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Linux.Files;
using Containerd.Actors.Linux.Mounts;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Storage.Diff;

namespace Containerd.Actors.Storage.Snapshots;

/// <summary>Settings of <see cref="OverlayBackend"/>.</summary>
public sealed record OverlaySettings
{
    /// <summary>Mount options added to every overlay.</summary>
    public ImmutableArray<string> MountOptions { get; init; } = [];

    /// <summary>Emit <c>uidmap=</c> and <c>gidmap=</c> instead of expecting files to be owned by mapped ids.</summary>
    public bool RemapIds { get; init; }

    /// <summary>Keep attributes of overlayfs in <c>user.</c>; null for what the process needs.</summary>
    public bool? UserAttributes { get; init; }

    /// <summary>Add <c>index=off</c>; null for what the kernel's module has.</summary>
    public bool? IndexOff { get; init; }
}

/// <summary>Snapshots as layers of overlayfs: <c>snapshots/N/{fs,work}</c>, as containerd's.</summary>
public sealed class OverlayBackend : ISnapshotBackend
{
    private const string UserMapping = "containerd.io/snapshot/uidmapping";
    private const string GroupMapping = "containerd.io/snapshot/gidmapping";

    private readonly SnapshotDirectories _directories;
    private readonly OverlaySettings _settings;
    private readonly ImmutableArray<string> _extras;

    private OverlayBackend(SnapshotDirectories directories, OverlaySettings settings)
    {
        _directories = directories;
        _settings = settings;
        ImmutableArray<string> extras = settings.MountOptions;
        if (settings.UserAttributes ?? ProcessFacts.InUserNamespace)
        {
            extras = extras.Add("userxattr");
        }

        bool configured = extras.Any(static option => option.StartsWith("index=", StringComparison.Ordinal));
        bool index = settings.IndexOff ?? File.Exists("/sys/module/overlay/parameters/index");
        _extras = index && !configured ? extras.Add("index=off") : extras;
    }

    /// <inheritdoc />
    public string Name => "overlayfs";

    /// <inheritdoc />
    public string Root => _directories.Root;

    /// <inheritdoc />
    public bool Rebases => !ProcessFacts.InUserNamespace;

    /// <inheritdoc />
    public bool Copies => false;

    /// <summary>Files are never given other owners, so ids are remapped by the kernel or not at all.</summary>
    public ImmutableArray<string> Capabilities =>
        [.. Rebases ? ["rebase"] : (string[])[], "only-remap-ids", .. _settings.RemapIds ? ["remap-ids"] : (string[])[]];

    /// <summary>Opens the backend in <c>io.containerd.snapshotter.v1.overlayfs</c> and makes what is missing; probes nothing.</summary>
    public static OverlayBackend Open(string root, OverlaySettings? settings = null)
    {
        Directory.CreateDirectory(root);
        return new OverlayBackend(new SnapshotDirectories(Path.GetFullPath(root)), settings ?? new OverlaySettings());
    }

    /// <summary>Mounts an overlay of two lower directories to see whether this file system can hold them; null if it can.</summary>
    public Error? Probe() => OverlayProbe.Layers(Root, _extras.Contains("userxattr"));

    /// <summary>The directory with what the snapshot itself holds.</summary>
    public string UpperDirectory(long id) => Path.Combine(_directories.Of(id), "fs");

    /// <inheritdoc />
    public void Create(long id, SnapshotKind kind, IReadOnlyList<long> parents, IReadOnlyDictionary<string, string> labels) =>
        _directories.Create(id, labels, made =>
        {
            made.TryCreateDirectory("fs", 0x1ED);
            made.ChangeMode("fs", 0x1ED); // 0755
            if (kind == SnapshotKind.Active)
            {
                made.TryCreateDirectory("work", 0x1C9);
                made.ChangeMode("work", 0x1C9); // 0711
            }

            GiveOwner(made, "fs", labels, parents.Count > 0 ? UpperDirectory(parents[0]) : null);
        });

    /// <inheritdoc />
    public ImmutableArray<Mount> Mounts(
        long id, SnapshotKind kind, IReadOnlyList<long> parents, IReadOnlyDictionary<string, string> labels)
    {
        bool active = kind == SnapshotKind.Active;
        if (parents.Count == 0)
        {
            return [new Mount("bind", UpperDirectory(id), "", [active ? "rw" : "ro", "rbind"])];
        }

        ImmutableArray<string>.Builder options = ImmutableArray.CreateBuilder<string>();
        if (_settings.RemapIds && labels.TryGetValue(UserMapping, out string? users) && labels.TryGetValue(GroupMapping, out string? groups))
        {
            options.Add($"uidmap={users}");
            options.Add($"gidmap={groups}");
        }

        if (!active && parents.Count == 1)
        {
            return [new Mount("bind", UpperDirectory(parents[0]), "", [.. options, "ro", "rbind"])];
        }

        if (active)
        {
            options.Add($"workdir={Path.Combine(_directories.Of(id), "work")}");
            options.Add($"upperdir={UpperDirectory(id)}");
        }

        options.Add($"lowerdir={string.Join(':', parents.Select(UpperDirectory))}");
        options.AddRange(_extras);
        return [new Mount("overlay", "overlay", "", options.ToImmutable())];
    }

    /// <inheritdoc />
    public ImmutableArray<Mount> DetachedMounts(long id) => Rebases
        ? [new Mount("overlay", "overlay", "", [$"workdir={Path.Combine(_directories.Of(id), "work")}", $"upperdir={UpperDirectory(id)}", .. _extras])]
        : [];

    /// <inheritdoc />
    public void Attach(long id, IReadOnlyList<long> parents, IReadOnlyList<string> inherited)
    {
        if (parents.Count == 0)
        {
            return;
        }

        using DirectoryHandle upper = DirectoryHandle.Open(UpperDirectory(id));
        using LowerDirectories lowers = new([.. parents.Select(UpperDirectory)]);
        foreach (string path in inherited)
        {
            if (path.Length == 0)
            {
                // As a snapshot that has its parent from the start gets it.
                using DirectoryHandle nearest = DirectoryHandle.Open(UpperDirectory(parents[0]));
                FileStatus status = nearest.Status();
                upper.ChangeOwner(".", status.UserId, status.GroupId);
            }
            else
            {
                using DirectoryHandle? parent = upper.TryOpenDirectory(LayerPaths.Parent(path));
                string name = LayerPaths.Name(path);
                if (parent?.TryStatus(name) is { Kind: FileKind.Directory })
                {
                    lowers.CopyTo(parent, name, path);
                }
            }
        }
    }

    /// <inheritdoc />
    public SnapshotUsage Usage(long id) => TreeUsage.Of(UpperDirectory(id));

    /// <inheritdoc />
    public void Commit(long id, bool synchronize)
    {
        if (synchronize)
        {
            using DirectoryHandle handle = DirectoryHandle.Open(UpperDirectory(id));
            handle.SynchronizeFileSystem();
        }
    }

    /// <inheritdoc />
    public void Remove(long id) => _directories.Remove(id);

    /// <inheritdoc />
    public IReadOnlyList<long> List() => _directories.List();

    /// <summary>Gives a new root the owner that the mapping of its labels says, or that of the root below it.</summary>
    internal static void GiveOwner(DirectoryHandle made, string name, IReadOnlyDictionary<string, string> labels, string? below)
    {
        (uint User, uint Group)? owner = Owner(labels);
        if (owner is null && below is not null)
        {
            using DirectoryHandle parent = DirectoryHandle.Open(below);
            FileStatus status = parent.Status();
            owner = (status.UserId, status.GroupId);
        }

        if (owner is { } ids && ids != ProcessFacts.EffectiveIds)
        {
            made.ChangeOwner(name, ids.User, ids.Group);
        }
    }

    // "container id:host id:size", several of them with commas between; the root of the container is its id 0.
    private static (uint User, uint Group)? Owner(IReadOnlyDictionary<string, string> labels)
    {
        bool hasUsers = labels.TryGetValue(UserMapping, out string? users);
        bool hasGroups = labels.TryGetValue(GroupMapping, out string? groups);
        return (hasUsers, hasGroups) switch
        {
            (false, false) => null,
            (true, true) => (HostRoot(users!), HostRoot(groups!)),
            _ => throw new RefusedException(Error.Invalid($"snapshot labels {UserMapping} and {GroupMapping} must be given together")),
        };
    }

    private static uint HostRoot(string mapping)
    {
        foreach (IdMapping part in IdMapping.ParseAll(mapping))
        {
            if (part.Container == 0)
            {
                return part.Host;
            }
        }

        throw new RefusedException(Error.Invalid($"snapshot id mapping \"{mapping}\" does not map id 0"));
    }
}
