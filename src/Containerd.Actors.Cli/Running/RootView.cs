// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;
using Containerd.Types;

namespace Containerd.Actors.Cli.Running;

/// <summary>A container's root file system, mounted read-only at a private place for as long as it is looked at.</summary>
/// <remarks>mount(2), umount2(2). cactl runs on the daemon's host, as containerd's own clients do.</remarks>
internal sealed unsafe partial class RootView : IDisposable
{
    private const nuint ReadOnly = 1;      // MS_RDONLY
    private const nuint Bind = 4096;       // MS_BIND
    private const nuint Recursive = 16384; // MS_REC
    private const int Detach = 2;          // MNT_DETACH

    private RootView(string path) => Path = path;

    /// <summary>Where it is mounted.</summary>
    public string Path { get; }

    /// <summary>Mounts what the snapshotter answered. Needs root.</summary>
    /// <exception cref="IOException">The mount failed; nothing is left.</exception>
    public static RootView Open(Mount mount)
    {
        var view = new RootView(Directory.CreateTempSubdirectory("cactl-root-").FullName);
        bool bind = mount.Type == "bind" || mount.Options.Contains("bind") || mount.Options.Contains("rbind");
        nuint flags = bind ? Bind | Recursive : ReadOnly;
        string data = bind ? "" : string.Join(',', mount.Options.Where(option => option is not ("ro" or "rw")));
        if (MountAt(mount.Source, view.Path, mount.Type, flags, data) != 0)
        {
            string reason = Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError());
            Directory.Delete(view.Path);
            throw new IOException($"{view.Path}: mount: {reason}");
        }

        return view;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        // Only an empty directory may be deleted: the container's files must never be, should the unmount have failed.
        if (UnmountAt(Path, Detach) == 0)
        {
            Directory.Delete(Path, recursive: false);
        }
    }

    [LibraryImport("libc", EntryPoint = "mount", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MountAt(string source, string target, string type, nuint flags, string data);

    [LibraryImport("libc", EntryPoint = "umount2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int UnmountAt(string target, int flags);
}
