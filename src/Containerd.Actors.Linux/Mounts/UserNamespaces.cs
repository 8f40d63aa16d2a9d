// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using System.ComponentModel;
using System.Diagnostics;
using Containerd.Actors.Core.Linux;
using Containerd.Actors.Linux.Interop;
using Containerd.Actors.Protocol.Errors;
using Microsoft.Win32.SafeHandles;

namespace Containerd.Actors.Linux.Mounts;

/// <summary>Makes user namespaces to carry id mappings. A managed process cannot enter one itself, so a short-lived child does.</summary>
internal static class UserNamespaces
{
    /// <summary>A descriptor of a new user namespace with these mappings; it lives as long as the descriptor or its users.</summary>
    /// <exception cref="LinuxException">The namespace file could not be opened.</exception>
    /// <exception cref="RefusedException">The child could not be started or mapped.</exception>
    public static SafeFileHandle Open(ImmutableArray<IdMapping> uids, ImmutableArray<IdMapping> gids)
    {
        // cat answers once unshare(1) has made the namespace and become it, and ends with its input.
        var start = new ProcessStartInfo("unshare", ["--user", "cat"]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        try
        {
            using Process child = Process.Start(start) ?? throw new RefusedException(Error.Unavailable("unshare: did not start"));
            try
            {
                child.StandardInput.Write('.');
                child.StandardInput.Flush();
                if (child.StandardOutput.Read() != '.')
                {
                    throw new RefusedException(Error.Unavailable("unshare: could not make a user namespace"));
                }

                File.WriteAllText($"/proc/{child.Id}/uid_map", string.Join('\n', uids));
                File.WriteAllText($"/proc/{child.Id}/gid_map", string.Join('\n', gids));
                string path = $"/proc/{child.Id}/ns/user";
                SafeFileHandle handle = FileSystemCalls.open(path, FileSystemCalls.O_RDONLY | FileSystemCalls.O_CLOEXEC, 0);
                return handle.IsInvalid ? throw LinuxErrors.Last("open", path) : handle;
            }
            finally
            {
                child.StandardInput.Close();
                child.WaitForExit();
            }
        }
        catch (Exception failure) when (failure is Win32Exception or IOException or UnauthorizedAccessException)
        {
            throw new RefusedException(Error.Unavailable($"user namespace for id mappings: {failure.Message}"), failure);
        }
    }
}
