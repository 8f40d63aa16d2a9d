// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Linux;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Linux.Files;
using Containerd.Actors.Linux.Mounts;
using Containerd.Actors.Protocol.Errors;

namespace Containerd.Actors.Storage.Snapshots;

/// <summary>Asks kernel and file system by mounting once what snapshots will need.</summary>
public static class OverlayProbe
{
    /// <summary>Whether upper directories can lie here; null if they can.</summary>
    public static Error? Layers(string root, bool userAttributes) => Mounts(root, userAttributes ? ["userxattr"] : []);

    /// <summary>Whether lower directories that lie here can be shown under other ids: kernel 5.19, and a file system that takes part.</summary>
    public static bool RemapsIds(string root) => Mounts(root, ["uidmap=0:100000:65536", "gidmap=0:100000:65536"]) is null;

    private static Error? Mounts(string root, string[] further)
    {
        using DirectoryHandle handle = DirectoryHandle.Open(root);
        string name = $"probe-{Guid.NewGuid():N}";
        try
        {
            handle.TryCreateDirectory(name, 0x1C0);
            string path = Path.Combine(root, name);
            foreach (string part in (string[])["lower1", "lower2", "upper", "work", "merged"])
            {
                Directory.CreateDirectory(Path.Combine(path, part));
            }

            string merged = Path.Combine(path, "merged");
            Mounter.Mount(
                new Mount("overlay", "overlay", "", [$"lowerdir={path}/lower2:{path}/lower1", $"upperdir={path}/upper", $"workdir={path}/work", .. further]),
                merged);
            Mounter.Unmount(merged, Mounter.Detach);
            return null;
        }
        catch (LinuxException failure)
        {
            return Error.FailedPrecondition($"overlayfs: \"{root}\" cannot hold upper directories: {failure.Error}");
        }
        catch (RefusedException refused)
        {
            return refused.Error;
        }
        finally
        {
            handle.RemoveTree(name);
        }
    }
}
