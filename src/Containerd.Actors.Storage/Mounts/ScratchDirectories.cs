// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Linux.Files;
using Containerd.Actors.Linux.Mounts;

namespace Containerd.Actors.Storage.Mounts;

/// <summary>The directory of mount points that live no longer than a request.</summary>
public static class ScratchDirectories
{
    /// <summary>Undoes what a daemon left that ended in the middle of its work. Nobody may be at work yet.</summary>
    public static void Clear(string scratch)
    {
        if (!Directory.Exists(scratch))
        {
            return;
        }

        Mounter.UnmountRecursive(scratch, Mounter.Detach);
        using DirectoryHandle handle = DirectoryHandle.Open(scratch);
        foreach (string name in handle.List())
        {
            if (name.StartsWith(ScratchMounts.Prefix, StringComparison.Ordinal))
            {
                ActivationDirectories.Undo(Path.Combine(scratch, name), isForced: true);
            }

            handle.RemoveTree(name);
        }
    }
}
