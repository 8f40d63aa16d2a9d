// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Daemon.Configuration;

namespace Containerd.Actors.Daemon.Hosting;

/// <summary>The directories of the daemon, made with the permissions containerd gives them.</summary>
internal static class Directories
{
    /// <summary>0700: what lies below is for root alone.</summary>
    public const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    // 0711: others may reach what they know the name of, such as the socket.
    private const UnixFileMode Passable = Private | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    /// <summary>Makes what is missing.</summary>
    public static void Prepare(DaemonSettings settings)
    {
        Directory.CreateDirectory(settings.Root, Private);
        Directory.CreateDirectory(settings.State, Passable);
        Directory.CreateDirectory(Path.GetDirectoryName(settings.Address)!, Passable);
    }
}
