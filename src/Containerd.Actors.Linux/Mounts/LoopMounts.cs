// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Linux;
using Containerd.Actors.Linux.Interop;
using Containerd.Actors.Protocol.Errors;
using Mount = Containerd.Actors.Core.Mounts.Mount;

namespace Containerd.Actors.Linux.Mounts;

/// <summary>Mounts of files: the option <c>loop</c>.</summary>
internal static class LoopMounts
{
    private const string DeviceOption = "device=";
    private const string VerityOption = "X-containerd.dmverity";

    /// <summary>Mounts a file; EROFS without a device where the kernel can (6.12), everything else on one.</summary>
    public static void Mount(Mount mount, string target, MountOptions options)
    {
        if (mount.Options.Any(option => option.StartsWith(VerityOption, StringComparison.Ordinal)))
        {
            throw new RefusedException(Error.NotImplemented($"mount option {VerityOption}: images are not verified by the device mapper"));
        }

        if (mount.Type == "erofs" && TryWithout(mount, target, options))
        {
            return;
        }

        List<LoopDevice> devices = [];
        try
        {
            bool isReadOnly = (options.Flags & MountOptions.ReadOnly) != 0 || mount.Type == "erofs";
            Mounter.MountPlain(
                mount with { Source = Attached(mount.Source) },
                target,
                options with { Data = [.. options.Data.Select(option => IsDevice(option) ? DeviceOption + Attached(option[DeviceOption.Length..]) : option)] });

            string Attached(string file)
            {
                devices.Add(LoopDevice.Attach(file, isReadOnly));
                return devices[^1].Path;
            }

            bool IsDevice(string option) => mount.Type == "erofs" && option.StartsWith(DeviceOption, StringComparison.Ordinal);
        }
        finally
        {
            // From here on the mount is the user of its devices.
            devices.ForEach(device => device.Dispose());
        }
    }

    // A kernel that cannot says ENOTBLK; one that cannot for this file system below the file says EINVAL or EOPNOTSUPP.
    private static bool TryWithout(Mount mount, string target, MountOptions options)
    {
        try
        {
            Mounter.MountPlain(mount, target, options);
            return true;
        }
        catch (LinuxException failure) when (failure.Error.Errno is LinuxErrors.ENOTBLK or LinuxErrors.EINVAL or LinuxErrors.EOPNOTSUPP)
        {
            return false;
        }
    }
}
