// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using System.Globalization;
using Containerd.Actors.Core.Executor;
using Containerd.Actors.Core.Linux;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Linux.Files;
using Containerd.Actors.Linux.Mounts;
using Containerd.Actors.Protocol.Errors;

namespace Containerd.Actors.Storage.Mounts;

/// <summary>What was mounted, and what is left to mount.</summary>
public sealed record MountedPlan(ImmutableArray<ActiveMount> Active, ImmutableArray<Mount> System);

/// <summary>A directory of mount points.</summary>
/// <param name="Number">Its number.</param>
/// <param name="Live">Mount points on which something is mounted now, and links to devices that are attached now.</param>
public sealed record FoundActivation(long Number, ImmutableHashSet<string> Live);

/// <summary>The directory <c>t</c> of the mount manager: one numbered directory for each activation, in it a mount point for each mount.</summary>
/// <remarks>
/// A mount point bears the place of its mount. Of a loop device it is a symbolic link, beside which <c>PLACE-file</c> tells what is
/// attached, as the device may belong to somebody else after a reboot. Numbers are worked on by one caller at a time.
/// </remarks>
public sealed class ActivationDirectories
{
    private const uint Private = 0x1C0; // 0700
    private const string FileSuffix = "-file";

    private readonly MountTransforms _transforms;
    private readonly TimeProvider _time;

    private ActivationDirectories(string path, MountTransforms transforms, TimeProvider time) => (Path, _transforms, _time) = (path, transforms, time);

    /// <summary>Where the numbered directories lie.</summary>
    public string Path { get; }

    /// <summary>Opens the directories of <c>io.containerd.mount-manager.v1.bolt</c> and makes what is missing.</summary>
    /// <param name="state">The plugin's directory.</param>
    /// <param name="root">The daemon's directory: there, and in the mount points, directories and files may be made for mounts.</param>
    /// <param name="run">Runs the programs that make file systems.</param>
    /// <param name="time">The clock.</param>
    public static ActivationDirectories Open(string state, string root, IEffectRunner run, TimeProvider time)
    {
        string path = System.IO.Path.Combine(System.IO.Path.GetFullPath(state), "t");
        Directory.CreateDirectory(path);
        using DirectoryHandle parent = DirectoryHandle.Open(state);
        parent.ChangeMode("t", Private);
        return new ActivationDirectories(path, new MountTransforms([path, System.IO.Path.GetFullPath(root)], run), time);
    }

    /// <summary>The directory of a number.</summary>
    public string Of(long number) => System.IO.Path.Combine(Path, Name(number));

    /// <summary>Carries out a plan. When a step fails, what was mounted before it is taken back.</summary>
    /// <exception cref="LinuxException">The kernel said no.</exception>
    /// <exception cref="RefusedException">An option or a template is malformed.</exception>
    public MountedPlan Mount(long number, MountPlan plan, CancellationToken cancellationToken)
    {
        Unmount(number, isForced: true);
        using (DirectoryHandle parent = DirectoryHandle.Open(Path))
        {
            parent.TryCreateDirectory(Name(number), Private);
        }

        try
        {
            return Mount(Of(number), plan, cancellationToken);
        }
        catch
        {
            Unmount(number, isForced: true);
            throw;
        }
    }

    /// <summary>Carries out a plan in a directory of the caller's, who undoes it with <see cref="Undo"/>.</summary>
    /// <exception cref="LinuxException">The kernel said no.</exception>
    /// <exception cref="RefusedException">An option or a template is malformed.</exception>
    public MountedPlan Mount(string directory, MountPlan plan, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ImmutableArray<ActiveMount>.Builder active = ImmutableArray.CreateBuilder<ActiveMount>();
        foreach (PlannedMount planned in plan.Held)
        {
            Mount mount = _transforms.Transform(planned, active, cancellationToken);
            active.Add(MountOne(directory, mount, active.Count));
        }

        ImmutableArray<Mount> system = [.. plan.System.Select(planned => _transforms.Transform(planned, active, cancellationToken))];
        return new MountedPlan(
            active.ToImmutable(),
            system.IsEmpty ? [new Mount("bind", active[^1].MountPoint, "", ["rbind"])] : system);
    }

    /// <summary>Unmounts what is mounted for a number and removes its directory; nothing happens if there is none.</summary>
    /// <param name="number">The number.</param>
    /// <param name="isForced">True to take what is in use from sight, and to free it when its last user is gone.</param>
    /// <exception cref="LinuxException">The kernel said no, for example EBUSY.</exception>
    public void Unmount(long number, bool isForced)
    {
        if (Directory.Exists(Of(number)))
        {
            Undo(Of(number), isForced);
            using DirectoryHandle parent = DirectoryHandle.Open(Path);
            parent.RemoveDirectory(Name(number));
        }
    }

    /// <summary>Unmounts what is mounted in a directory, last first, and empties it.</summary>
    /// <exception cref="LinuxException">The kernel said no, for example EBUSY.</exception>
    public static void Undo(string directory, bool isForced)
    {
        Mounter.UnmountRecursive(directory, isForced ? Mounter.Detach : 0);
        using DirectoryHandle handle = DirectoryHandle.Open(directory);
        foreach (string name in handle.List().Where(name => !name.EndsWith(FileSuffix, StringComparison.Ordinal)))
        {
            if (handle.Status(name).Kind == FileKind.SymbolicLink)
            {
                LoopDevice.Release(handle.ReadLink(name), FileOf(directory, name));
                handle.Unlink(name);
                handle.Unlink(name + FileSuffix);
            }
            else
            {
                handle.RemoveDirectory(name);
            }
        }

        // What a crash left between a note and its link.
        foreach (string name in handle.List())
        {
            handle.Unlink(name);
        }
    }

    /// <summary>The directories there are, by number, with what is mounted in them now.</summary>
    public IReadOnlyList<FoundActivation> List()
    {
        HashSet<string> mounted = [.. Mountinfo.Read().Select(entry => entry.MountPoint)];
        using DirectoryHandle handle = DirectoryHandle.Open(Path);
        List<FoundActivation> found = [];
        foreach (string name in handle.List())
        {
            if (long.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out long number))
            {
                found.Add(new FoundActivation(number, [.. Live(Of(number), mounted)]));
            }
        }

        return [.. found.OrderBy(each => each.Number)];
    }

    private static IEnumerable<string> Live(string directory, HashSet<string> mounted)
    {
        using DirectoryHandle handle = DirectoryHandle.Open(directory);
        foreach (string name in handle.List())
        {
            string path = System.IO.Path.Combine(directory, name);
            bool isLive = handle.Status(name).Kind switch
            {
                FileKind.SymbolicLink => LoopDevice.IsAttached(handle.ReadLink(name), FileOf(directory, name)),
                FileKind.Directory => mounted.Contains(path),
                _ => false,
            };
            if (isLive)
            {
                yield return path;
            }
        }
    }

    private ActiveMount MountOne(string directory, Mount mount, int place)
    {
        string name = place.ToString(CultureInfo.InvariantCulture);
        string point = System.IO.Path.Combine(directory, name);
        using DirectoryHandle handle = DirectoryHandle.Open(directory);
        if (mount.Type == MountPlan.LoopType)
        {
            File.WriteAllText(point + FileSuffix, mount.Source);
            using LoopDevice device = LoopDevice.Attach(mount.Source, mount.Options.Contains("ro"), mount.Options.Contains("direct-io"));
            handle.TryCreateSymbolicLink(name, device.Path);
            device.Keep();
        }
        else
        {
            handle.TryCreateDirectory(name, Private);
            Mounter.Mount(Image(mount), point);
        }

        return new ActiveMount(mount, point, _time.GetUtcNow());
    }

    // Images need no device where the kernel mounts files, and get one where it does not: whether or not one was asked for.
    private static Mount Image(Mount mount) => mount.Type == MountPlan.ImageType && !mount.Options.Contains("loop")
        ? mount with { Options = mount.Options.Add("loop") }
        : mount;

    private static string FileOf(string directory, string name)
    {
        try
        {
            return File.ReadAllText(System.IO.Path.Combine(directory, name + FileSuffix));
        }
        catch (FileNotFoundException)
        {
            return "";
        }
    }

    private static string Name(long number) => number.ToString(CultureInfo.InvariantCulture);
}
