// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Executor;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Core.Snapshots;
using Containerd.Actors.Linux.Files;
using Containerd.Actors.Linux.Mounts;
using Containerd.Actors.Protocol.Errors;
using KernelEffects = Containerd.Actors.Core.Executor.Effects;

namespace Containerd.Actors.Storage.Snapshots;

/// <summary>Settings of <see cref="ErofsBackend"/>.</summary>
public sealed record ErofsSettings
{
    /// <summary>Mount options added to every overlay.</summary>
    public ImmutableArray<string> MountOptions { get; init; } = [];

    /// <summary>Tell of images that are still to be mounted, instead of mounting them.</summary>
    public bool LeavesMounting { get; init; }

    /// <summary>The program that makes images; empty to look where programs lie.</summary>
    public string Program { get; init; } = "";
}

/// <summary>Committed snapshots as EROFS images, active ones as overlays of them: <c>snapshots/N/{fs,work,layer.erofs,layer}</c>.</summary>
/// <remarks>
/// <code>
/// fs, work --commit--> fs, layer.erofs --trim--> layer.erofs --needed as a parent--> layer.erofs mounted on layer
/// </code>
/// The files of an active snapshot stay beside the image made of them until the namespace knows of the commit, so that a crash between the
/// two loses neither. Images stay mounted until their snapshot is removed or the machine goes down; then the next who asks mounts them.
/// </remarks>
public sealed class ErofsBackend : ISnapshotBackend
{
    private const uint Shown = 0x1ED; // 0755
    private const uint Worked = 0x1C9; // 0711
    private const string Image = "layer.erofs";
    private const string Unfinished = "layer.erofs.new";
    private const string MountPoint = "layer";
    private const int OutputMax = 4096;

    // The lane has a bound of its own; this one ends the program too.
    private static readonly TimeSpan ImageLimit = TimeSpan.FromMinutes(30);

    private static readonly string[] ProgramPlaces = ["/usr/bin/mkfs.erofs", "/usr/sbin/mkfs.erofs", "/sbin/mkfs.erofs", "/usr/local/bin/mkfs.erofs"];

    private readonly SnapshotDirectories _directories;
    private readonly IEffectRunner _run;
    private readonly ErofsSettings _settings;
    private readonly string? _program;
    private readonly ImmutableArray<string> _extras;

    // Two that need the same image must not mount it twice.
    private readonly Lock _mounting = new();

    private ErofsBackend(SnapshotDirectories directories, IEffectRunner run, ErofsSettings settings)
    {
        (_directories, _run, _settings) = (directories, run, settings);
        _program = settings.Program.Length > 0 ? settings.Program : ProgramPlaces.FirstOrDefault(File.Exists);
        bool hasIndex = settings.MountOptions.Any(static option => option.StartsWith("index=", StringComparison.Ordinal));
        _extras = File.Exists("/sys/module/overlay/parameters/index") && !hasIndex ? settings.MountOptions.Add("index=off") : settings.MountOptions;
    }

    /// <inheritdoc />
    public string Name => "erofs";

    /// <inheritdoc />
    public string Root => _directories.Root;

    /// <inheritdoc />
    public bool Rebases => false;

    /// <inheritdoc />
    public bool Copies => false;

    /// <inheritdoc />
    public ImmutableArray<string> Capabilities => [];

    /// <inheritdoc />
    public bool MountsLayers => !_settings.LeavesMounting;

    /// <inheritdoc />
    public bool Trims => true;

    /// <summary>Opens the backend in <c>io.containerd.snapshotter.v1.erofs</c> and makes what is missing; probes nothing.</summary>
    public static ErofsBackend Open(string root, IEffectRunner run, ErofsSettings? settings = null)
    {
        Directory.CreateDirectory(root);
        return new ErofsBackend(new SnapshotDirectories(Path.GetFullPath(root)), run, settings ?? new ErofsSettings());
    }

    /// <summary>Why this machine cannot make or mount images; null if it can.</summary>
    public Error? Probe()
    {
        if (_program is null || !File.Exists(_program))
        {
            return Error.FailedPrecondition("erofs: mkfs.erofs is not installed");
        }

        return File.ReadLines("/proc/filesystems").Any(static line => line.EndsWith("\terofs", StringComparison.Ordinal))
            ? OverlayProbe.Layers(Root, userAttributes: false)
            : Error.FailedPrecondition("erofs: the kernel does not know EROFS (modprobe erofs)");
    }

    /// <inheritdoc />
    public void Create(long id, SnapshotKind kind, IReadOnlyList<long> parents, IReadOnlyDictionary<string, string> labels)
    {
        MountLayers(parents);
        _directories.Create(id, labels, made =>
        {
            Make(made, "fs", Shown);
            if (kind == SnapshotKind.Active)
            {
                Make(made, "work", Worked);
                Make(made, MountPoint, Shown);
            }

            OverlayBackend.GiveOwner(made, "fs", labels, parents.Count > 0 ? UpperDirectory(parents[0]) : null);
        });
    }

    /// <inheritdoc />
    public ImmutableArray<Mount> Mounts(
        long id, SnapshotKind kind, IReadOnlyList<long> parents, IReadOnlyDictionary<string, string> labels)
    {
        bool active = kind == SnapshotKind.Active;
        if (parents.Count == 0)
        {
            return [new Mount("bind", UpperDirectory(id), "", [active ? "rw" : "ro", "rbind"])];
        }

        ImmutableArray<string> writing = active ? [$"workdir={In(id, "work")}", $"upperdir={UpperDirectory(id)}"] : [];
        ImmutableArray<Mount> images = [.. parents.Select(ImageOf)];
        if (!_settings.LeavesMounting)
        {
            return !active && parents.Count == 1
                ? [new Mount("bind", In(parents[0], MountPoint), "", ["ro", "rbind"])]
                : [new Mount("overlay", "overlay", "", [.. writing, $"lowerdir={string.Join(':', parents.Select(parent => In(parent, MountPoint)))}", .. _extras])];
        }

        string lowers = parents.Count == 1 ? "{{ mount 0 }}" : $"{{{{ overlay 0 {parents.Count - 1} }}}}";
        return !active && parents.Count == 1
            ? images
            : [.. images, new Mount("format/mkdir/overlay", "overlay", "", [.. writing, $"lowerdir={lowers}", .. _extras])];
    }

    /// <inheritdoc />
    public SnapshotUsage Usage(long id) => TreeUsage.Of(UpperDirectory(id));

    /// <inheritdoc />
    public void Commit(long id, bool synchronize)
    {
        using DirectoryHandle directory = DirectoryHandle.Open(_directories.Of(id));
        directory.Unlink(Unfinished);
        string image = In(id, Unfinished);
        var ran = (ProgramResult)_run.Run(
            new KernelEffects.RunProgram(_program!, ["--quiet", image, UpperDirectory(id)], ReadOnlyMemory<byte>.Empty, ImageLimit, OutputMax),
            CancellationToken.None)!;
        if (ran.Status != 0 || ran.IsTimedOut)
        {
            directory.Unlink(Unfinished);
            string why = ran.IsTimedOut ? $"took longer than {ImageLimit.TotalMinutes:0} min" : $"exit status {ran.Status}: {(ran.ErrorOutput + ran.Output).Trim()}";
            throw new RefusedException(Error.Unknown($"{image}: mkfs.erofs failed: {why}"));
        }

        // The files it was made of are removed once the namespace counts on it.
        using (FileHandle written = directory.OpenFile(Unfinished))
        {
            written.Synchronize();
        }

        // A commit that was refused may be tried again: nobody must be shown the image that it made before.
        Mounter.UnmountAll(In(id, MountPoint), Mounter.Detach | Mounter.NoFollow);
        directory.Rename(Unfinished, directory, Image);
        directory.Synchronize();
    }

    /// <inheritdoc />
    public void MountLayers(IReadOnlyList<long> parents)
    {
        if (!MountsLayers)
        {
            return;
        }

        lock (_mounting)
        {
            foreach (long parent in parents)
            {
                // What is not committed has no image; that it is no parent is told by the namespace.
                string point = In(parent, MountPoint);
                if (File.Exists(In(parent, Image)) && !IsMounted(parent, point))
                {
                    Mounter.Mount(ImageOf(parent), point);
                }
            }
        }
    }

    /// <inheritdoc />
    public void Trim(long id)
    {
        using DirectoryHandle directory = DirectoryHandle.Open(_directories.Of(id));
        directory.RemoveTree("work");
        using DirectoryHandle files = directory.OpenChild("fs");
        foreach (string name in files.List())
        {
            files.RemoveTree(name);
        }
    }

    /// <inheritdoc />
    public void Remove(long id)
    {
        Mounter.UnmountAll(In(id, MountPoint), Mounter.Detach | Mounter.NoFollow);
        _directories.Remove(id);
    }

    /// <inheritdoc />
    public IReadOnlyList<long> List() => _directories.List();

    private static void Make(DirectoryHandle directory, string name, uint mode)
    {
        directory.TryCreateDirectory(name, mode);
        directory.ChangeMode(name, mode);
    }

    // Something is mounted on a directory that lies on another device than the one it is in.
    private bool IsMounted(long id, string point)
    {
        using DirectoryHandle directory = DirectoryHandle.Open(_directories.Of(id));
        using DirectoryHandle mounted = DirectoryHandle.Open(point);
        return directory.Status().Device != mounted.Status().Device;
    }

    private Mount ImageOf(long id) => new("erofs", In(id, Image), "", ["ro", "loop"]);

    private string UpperDirectory(long id) => In(id, "fs");

    private string In(long id, string name) => Path.Combine(_directories.Of(id), name);
}
