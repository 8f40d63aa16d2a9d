// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Cli.Running;

/// <summary>Labels on containers that cactl writes and reads.</summary>
internal static class ContainerLabels
{
    /// <summary>Where the output of a detached container goes.</summary>
    public const string LogPath = "containerd-actors/log-path";
}
