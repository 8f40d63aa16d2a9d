// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Containerd.Actors.Core.Linux;
using Containerd.Actors.Linux.Interop;
using Microsoft.Win32.SafeHandles;

namespace Containerd.Actors.Linux.Mounts;

/// <summary>A file attached to a loop device; loop(4).</summary>
/// <remarks>
/// While this is open the device stays. Once it is disposed of, the kernel frees the device with its last user, unless it was told to
/// <see cref="Keep"/> it: so a crash before that leaves nothing behind.
/// </remarks>
public sealed class LoopDevice : IDisposable
{
    // Others may take the device that was free a moment ago.
    private const int AttemptsMax = 64;

    private readonly SafeFileHandle _device;

    private LoopDevice(SafeFileHandle device, string path) => (_device, Path) = (device, path);

    /// <summary>For example <c>/dev/loop0</c>.</summary>
    public string Path { get; }

    /// <summary>Attaches a file to a device that is free.</summary>
    /// <param name="file">Absolute path.</param>
    /// <param name="isReadOnly">True to refuse writes.</param>
    /// <param name="isDirect">True to pass the page cache of the file by.</param>
    /// <exception cref="LinuxException">The kernel said no.</exception>
    public static LoopDevice Attach(string file, bool isReadOnly, bool isDirect = false)
    {
        ArgumentException.ThrowIfNullOrEmpty(file);
        using SafeFileHandle backing = Open(file, isReadOnly);
        using SafeFileHandle control = Open("/dev/loop-control", isReadOnly: false);
        for (int attempt = 1; ; attempt++)
        {
            string path = $"/dev/loop{Free(control).ToString(CultureInfo.InvariantCulture)}";
            SafeFileHandle device = Open(path, isReadOnly);
            try
            {
                Configure(device, backing, file, isReadOnly, isDirect);
                return new LoopDevice(device, path);
            }
            catch (LinuxException taken) when (taken.Error.Errno == LinuxErrors.EBUSY && attempt < AttemptsMax)
            {
                device.Dispose();
            }
            catch
            {
                device.Dispose();
                throw;
            }
        }
    }

    /// <summary>The device stays attached without users, until it is released.</summary>
    /// <exception cref="LinuxException">The kernel said no.</exception>
    public void Keep() => SetFlag(_device, Path, LoopCalls.LO_FLAGS_AUTOCLEAR, isSet: false);

    /// <summary>True when the device is attached to this file.</summary>
    public static bool IsAttached(string device, string file)
    {
        ArgumentNullException.ThrowIfNull(device);
        try
        {
            string backing = File.ReadAllText($"/sys/block/{System.IO.Path.GetFileName(device)}/loop/backing_file").TrimEnd('\n');
            return backing == file || backing == $"{file} (deleted)";
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>Lets the kernel free a device that was kept, with its last user. Nothing happens if it is attached to another file.</summary>
    /// <exception cref="LinuxException">The kernel said no.</exception>
    public static void Release(string device, string file)
    {
        if (IsAttached(device, file))
        {
            using SafeFileHandle opened = Open(device, isReadOnly: true);
            SetFlag(opened, device, LoopCalls.LO_FLAGS_AUTOCLEAR, isSet: true);
        }
    }

    /// <inheritdoc />
    public void Dispose() => _device.Dispose();

    private static SafeFileHandle Open(string path, bool isReadOnly)
    {
        SafeFileHandle opened = FileSystemCalls.open(
            path, (isReadOnly ? FileSystemCalls.O_RDONLY : FileSystemCalls.O_RDWR) | FileSystemCalls.O_CLOEXEC, 0);
        return opened.IsInvalid ? throw LinuxErrors.Last("open", path) : opened;
    }

    private static unsafe int Free(SafeFileHandle control)
    {
        int number = LoopCalls.ioctl(control, LoopCalls.LOOP_CTL_GET_FREE, null);
        return number >= 0 ? number : throw LinuxErrors.Last("ioctl", "/dev/loop-control");
    }

    private static unsafe void Configure(SafeFileHandle device, SafeFileHandle backing, string file, bool isReadOnly, bool isDirect)
    {
        LoopCalls.LoopConfiguration configuration = new() { Fd = (uint)backing.DangerousGetHandle() };
        configuration.Information.Flags = LoopCalls.LO_FLAGS_AUTOCLEAR
            | (isReadOnly ? LoopCalls.LO_FLAGS_READ_ONLY : 0)
            | (isDirect ? LoopCalls.LO_FLAGS_DIRECT_IO : 0);
        if (LoopCalls.ioctl(device, LoopCalls.LOOP_CONFIGURE, &configuration) != 0)
        {
            throw LinuxErrors.Last("ioctl", file);
        }
    }

    private static unsafe void SetFlag(SafeFileHandle device, string path, uint flag, bool isSet)
    {
        LoopCalls.LoopInformation information;
        if (LoopCalls.ioctl(device, LoopCalls.LOOP_GET_STATUS64, &information) != 0)
        {
            throw LinuxErrors.Last("ioctl", path);
        }

        information.Flags = isSet ? information.Flags | flag : information.Flags & ~flag;
        if (LoopCalls.ioctl(device, LoopCalls.LOOP_SET_STATUS64, &information) != 0)
        {
            throw LinuxErrors.Last("ioctl", path);
        }
    }
}
