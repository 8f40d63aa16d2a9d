// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Containerd.Actors.Core.Linux;
using Containerd.Actors.Linux.Interop;
using Microsoft.Win32.SafeHandles;
using Tmds.Linux;
using Mount = Containerd.Actors.Core.Mounts.Mount;

namespace Containerd.Actors.Linux.Mounts;

/// <summary>Changes the mount table of this process. Every method may block for as long as the kernel likes: call it on a lane.</summary>
public static class Mounter
{
    /// <summary>Takes a mount from sight at once, and frees it when its last user is gone; umount2(2).</summary>
    public const int Detach = 2;

    /// <summary>Does not follow a symbolic link at the end of the target; umount2(2).</summary>
    public const int NoFollow = 8;

    // The kernel copies one page of option data and no more; containerd leaves room for what is not its own.
    private static readonly int DataMax = Environment.SystemPageSize - 512;

    /// <summary>Mounts on an existing directory (or file, for a bind mount). When a step fails what was mounted is taken back.</summary>
    /// <exception cref="LinuxException">The kernel said no; the path is the target.</exception>
    public static void Mount(Mount mount, string target)
    {
        ArgumentNullException.ThrowIfNull(mount);
        ArgumentException.ThrowIfNullOrEmpty(target);
        MountOptions options = MountOptions.Parse(mount.Options);
        using SafeFileHandle? below = mount.Target.Length == 0 ? null : OpenBelow(target, mount.Target);
        string place = below is null ? target : $"/proc/self/fd/{below.DangerousGetHandle()}";
        if (!options.UidMap.IsEmpty && (options.Flags & MountOptions.Bind) != 0)
        {
            IdmappedMounts.Bind(mount.Source, place, options);
        }
        else if (!options.UidMap.IsEmpty && mount.Type == "overlay")
        {
            using var lowers = IdmappedMounts.BindLowers(options);
            MountPlain(mount, place, options with { Data = lowers.Data });
        }
        else if (options.IsLoop)
        {
            LoopMounts.Mount(mount, place, options);
        }
        else
        {
            MountPlain(mount, place, options);
        }

        // The first descriptor still means what lies under the new mount; a second look by name finds the mount itself.
        using SafeFileHandle? made = below is null ? null : OpenBelow(target, mount.Target);
        string mounted = made is null ? target : $"/proc/self/fd/{made.DangerousGetHandle()}";
        try
        {
            Adjust(mounted, options);
        }
        catch (LinuxException)
        {
            Unmount(mounted, Detach);
            throw;
        }
    }

    /// <summary>Mounts all in order; when one fails those before it are taken back.</summary>
    /// <exception cref="LinuxException">The kernel said no.</exception>
    public static void MountAll(IReadOnlyList<Mount> mounts, string target)
    {
        ArgumentNullException.ThrowIfNull(mounts);
        for (int done = 0; done < mounts.Count; done++)
        {
            try
            {
                Mount(mounts[done], target);
            }
            catch (Exception failure) when (failure is LinuxException or Protocol.Errors.RefusedException)
            {
                TakeBack(mounts, done, target);
                throw;
            }
        }
    }

    /// <summary>Undoes the topmost mount on the target.</summary>
    /// <exception cref="LinuxException">EINVAL when nothing is mounted there, EBUSY when it is in use.</exception>
    public static unsafe void Unmount(string target, int flags = 0)
    {
        fixed (byte* path = Text(target))
        {
            if (LibC.umount2(path, flags) != 0)
            {
                throw LinuxErrors.Last("umount2", target);
            }
        }
    }

    /// <summary>Undoes every mount on the target. Nothing mounted, or no such path, is not a failure.</summary>
    /// <exception cref="LinuxException">The kernel said no, for example EBUSY.</exception>
    public static void UnmountAll(string target, int flags = 0)
    {
        try
        {
            // As many mounts as there are end the loop with EINVAL; another mounter must not keep it alive for ever.
            for (int i = 0; i < 100_000; i++)
            {
                Unmount(target, flags);
            }
        }
        catch (LinuxException end) when (end.Error.Errno is LinuxErrors.EINVAL or LinuxErrors.ENOENT or LinuxErrors.ENOTDIR)
        {
            return;
        }
    }

    /// <summary>Undoes every mount on the root and below it, the last made first.</summary>
    /// <exception cref="LinuxException">The kernel said no.</exception>
    public static void UnmountRecursive(string root, int flags = 0)
    {
        ArgumentException.ThrowIfNullOrEmpty(root);
        string directory = root.Length > 1 ? root.TrimEnd('/') : root;
        string prefix = directory == "/" ? "/" : directory + "/";
        foreach (MountinfoEntry entry in Mountinfo.Read().Reverse())
        {
            if (entry.MountPoint == directory || entry.MountPoint.StartsWith(prefix, StringComparison.Ordinal))
            {
                UnmountAll(entry.MountPoint, flags | NoFollow);
            }
        }
    }

    internal static void MountPlain(Mount mount, string target, MountOptions options)
    {
        string data = string.Join(',', options.Data);
        if (mount.Type == "overlay" && Encoding.UTF8.GetByteCount(data) > DataMax)
        {
            LongOverlays.Mount(mount, target, options, DataMax);
        }
        else
        {
            Call(mount.Source, target, mount.Type, options.Flags, data);
        }
    }

    internal static unsafe void Call(string source, string target, string type, ulong flags, string data)
    {
        fixed (byte* sourceText = Text(source), targetText = Text(target), typeText = Text(type), dataText = Text(data))
        {
            if (LibC.mount(sourceText, targetText, typeText, (ulong_t)flags, data.Length == 0 ? null : dataText) != 0)
            {
                throw LinuxErrors.Last("mount", target);
            }
        }
    }

    // mount(2): a bind ignores all other flags, and propagation is changed by a call of its own.
    private static void Adjust(string target, MountOptions options)
    {
        if (options.Propagation != 0)
        {
            Call(string.Empty, target, string.Empty, options.Propagation, string.Empty);
        }

        if ((options.Flags & MountOptions.Bind) != 0 && (options.Flags & MountOptions.PerMount) != 0)
        {
            Call(string.Empty, target, string.Empty, options.Flags | MountOptions.Remount, string.Empty);
        }
    }

    // Links below the target may have been put there by a container: they are resolved as if the target were the root.
    private static SafeFileHandle OpenBelow(string target, string path)
    {
        using SafeFileHandle root = FileSystemCalls.open(target, FileSystemCalls.O_PATH | FileSystemCalls.O_CLOEXEC | FileSystemCalls.O_DIRECTORY, 0);
        if (root.IsInvalid)
        {
            throw LinuxErrors.Last("open", target);
        }

        SafeFileHandle below = FileSystemCalls.openat2(
            root,
            path,
            (ulong)(FileSystemCalls.O_PATH | FileSystemCalls.O_CLOEXEC),
            FileSystemCalls.RESOLVE_IN_ROOT | FileSystemCalls.RESOLVE_NO_MAGICLINKS);
        return below.IsInvalid ? throw LinuxErrors.Last("openat2", $"{target}/{path.TrimStart('/')}") : below;
    }

    private static void TakeBack(IReadOnlyList<Mount> mounts, int done, string target)
    {
        for (int i = done - 1; i >= 0; i--)
        {
            using SafeFileHandle? below = mounts[i].Target.Length == 0 ? null : OpenBelow(target, mounts[i].Target);
            string place = below is null ? target : $"/proc/self/fd/{below.DangerousGetHandle()}";
            Unmount(place, Detach);
        }
    }

    private static byte[] Text(string text) => Encoding.UTF8.GetBytes(text + "\0");
}
