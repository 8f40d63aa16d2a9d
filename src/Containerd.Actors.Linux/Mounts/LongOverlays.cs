// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Containerd.Actors.Core.Linux;
using Containerd.Actors.Linux.Interop;
using Microsoft.Win32.SafeHandles;
using Tmds.Linux;
using Mount = Containerd.Actors.Core.Mounts.Mount;

namespace Containerd.Actors.Linux.Mounts;

/// <summary>Overlay mounts whose options do not fit into the page that mount(2) takes.</summary>
internal static class LongOverlays
{
    private const string LowerDirectory = "lowerdir=";
    private const int CLONE_FS = 0x200;

    public static void Mount(Mount mount, string target, MountOptions options, int dataMax)
    {
        string[] lowers = Lowers(options);
        string parent = CommonParent(lowers);
        string shortened = string.Join(',', options.Data.Select(option => option.StartsWith(LowerDirectory, StringComparison.Ordinal)
            ? LowerDirectory + string.Join(':', lowers.Select(lower => Path.GetRelativePath(parent, lower)))
            : option));
        if (parent.Length > 1 && Encoding.UTF8.GetByteCount(shortened) <= dataMax)
        {
            InDirectory(parent, () => Mounter.Call(mount.Source, Path.GetFullPath(target), mount.Type, options.Flags, shortened));
        }
        else
        {
            Configure(mount, target, options, lowers);
        }
    }

    // A colon in a path is escaped by a backslash; overlayfs.rst. Image layers are at most some hundred.
    internal static string[] Lowers(MountOptions options)
    {
        string text = options.Data.LastOrDefault(option => option.StartsWith(LowerDirectory, StringComparison.Ordinal)) ?? LowerDirectory;
        var lowers = new List<string>();
        var current = new StringBuilder();
        for (int i = LowerDirectory.Length; i < text.Length; i++)
        {
            if (text[i] == ':')
            {
                lowers.Add(current.ToString());
                current.Clear();
            }
            else if (text[i] == '\\' && i + 1 < text.Length)
            {
                current.Append(text[i]).Append(text[++i]);
            }
            else
            {
                current.Append(text[i]);
            }
        }

        lowers.Add(current.ToString());
        return [.. lowers];
    }

    internal static string CommonParent(string[] paths)
    {
        string parent = Path.GetDirectoryName(paths[0]) ?? "/";
        while (parent.Length > 1 && !paths.All(path => path.StartsWith(parent + "/", StringComparison.Ordinal)))
        {
            parent = Path.GetDirectoryName(parent) ?? "/";
        }

        // An escaped character is no part of a real directory name: such a parent cannot be changed into.
        return parent.Contains('\\', StringComparison.Ordinal) ? string.Empty : parent;
    }

    // The working directory belongs to a thread only after unshare(CLONE_FS), and that cannot be undone: the thread ends afterwards.
    private static void InDirectory(string directory, Action mount)
    {
        LinuxException? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                if (LibC.unshare(CLONE_FS) != 0)
                {
                    throw LinuxErrors.Last("unshare");
                }

                if (FileSystemCalls.chdir(directory) != 0)
                {
                    throw LinuxErrors.Last("chdir", directory);
                }

                mount();
            }
            catch (LinuxException e)
            {
                failure = e;
            }
        })
        { IsBackground = true, Name = "overlay mount" };
        thread.Start();
        thread.Join();
        if (failure is not null)
        {
            throw new LinuxException(failure.Error);
        }
    }

    // Kernel 6.5: lowerdir+ takes one directory per call, so that no page limits the number of layers.
    private static void Configure(Mount mount, string target, MountOptions options, string[] lowers)
    {
        using SafeFileHandle context = MountCalls.fsopen(mount.Type, MountCalls.FSOPEN_CLOEXEC);
        if (context.IsInvalid)
        {
            throw LinuxErrors.Last("fsopen", target);
        }

        Set(context, MountCalls.FSCONFIG_SET_STRING, "source", mount.Source, target);
        foreach (string lower in lowers)
        {
            Set(context, MountCalls.FSCONFIG_SET_STRING, "lowerdir+", Unescape(lower), target);
        }

        foreach (string option in options.Data.Where(option => !option.StartsWith(LowerDirectory, StringComparison.Ordinal)))
        {
            int equals = option.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0)
            {
                Set(context, MountCalls.FSCONFIG_SET_FLAG, option, null, target);
            }
            else
            {
                Set(context, MountCalls.FSCONFIG_SET_STRING, option[..equals], Unescape(option[(equals + 1)..]), target);
            }
        }

        if ((options.Flags & MountOptions.ReadOnly) != 0)
        {
            Set(context, MountCalls.FSCONFIG_SET_FLAG, "ro", null, target);
        }

        Set(context, MountCalls.FSCONFIG_CMD_CREATE, null, null, target);
        using SafeFileHandle made = MountCalls.fsmount(context, MountCalls.FSMOUNT_CLOEXEC, Attributes(options.Flags));
        if (made.IsInvalid)
        {
            throw LinuxErrors.Last("fsmount", target);
        }

        if (MountCalls.move_mount(made, string.Empty, MountCalls.AT_FDCWD, target, MountCalls.MOVE_MOUNT_F_EMPTY_PATH) != 0)
        {
            throw LinuxErrors.Last("move_mount", target);
        }
    }

    // linux/mount.h: MOUNT_ATTR_RDONLY to _NOEXEC have the values of MS_RDONLY to MS_NOEXEC; the access times have others.
    private static uint Attributes(ulong flags) =>
        (uint)(flags & 15) | ((flags & 1024) != 0 ? 0x10u : 0) | ((flags & (1 << 24)) != 0 ? 0x20u : 0) | ((flags & 2048) != 0 ? 0x80u : 0);

    private static string Unescape(string path) => path.Replace("\\:", ":", StringComparison.Ordinal);

    private static void Set(SafeFileHandle context, uint command, string? key, string? value, string target)
    {
        if (MountCalls.fsconfig(context, command, key, value, 0) != 0)
        {
            throw LinuxErrors.Last("fsconfig", target);
        }
    }
}
