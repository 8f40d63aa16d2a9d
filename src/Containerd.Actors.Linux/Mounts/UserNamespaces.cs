// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Linux;
using Containerd.Actors.Linux.Interop;
using Containerd.Actors.Linux.Processes;
using Containerd.Actors.Protocol.Errors;
using Microsoft.Win32.SafeHandles;

namespace Containerd.Actors.Linux.Mounts;

/// <summary>Makes user namespaces to carry id mappings. A managed process cannot enter one itself, so a short-lived child does.</summary>
internal static class UserNamespaces
{
    private const string SearchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    private const int SigKill = 9;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>A descriptor of a new user namespace with these mappings; it lives as long as the descriptor or its users.</summary>
    /// <exception cref="LinuxException">The namespace file could not be opened.</exception>
    /// <exception cref="RefusedException">The child could not be started or mapped.</exception>
    public static SafeFileHandle Open(ImmutableArray<IdMapping> uids, ImmutableArray<IdMapping> gids)
    {
        // cat answers once unshare(1) has made the namespace and become it, and ends with its input.
        using var child = ChildProcess.Spawn(new SpawnRequest
        {
            Path = Program(),
            Arguments = ["unshare", "--user", "cat"],
            Environment = [$"PATH={SearchPath}"],
            StandardInput = SpawnStream.Pipe,
            StandardOutput = SpawnStream.Pipe,
        });
        try
        {
            if (!Echoes(child))
            {
                throw new RefusedException(Error.Unavailable("unshare: could not make a user namespace"));
            }

            File.WriteAllText($"/proc/{child.Pid}/uid_map", string.Join('\n', uids));
            File.WriteAllText($"/proc/{child.Pid}/gid_map", string.Join('\n', gids));
            string path = $"/proc/{child.Pid}/ns/user";
            SafeFileHandle handle = FileSystemCalls.open(path, FileSystemCalls.O_RDONLY | FileSystemCalls.O_CLOEXEC, 0);
            return handle.IsInvalid ? throw LinuxErrors.Last("open", path) : handle;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new RefusedException(Error.Unavailable($"user namespace for id mappings: {failure.Message}"), failure);
        }
        finally
        {
            child.Kill(SigKill);
        }
    }

    private static string Program() => SearchPath.Split(':').Select(directory => Path.Combine(directory, "unshare")).FirstOrDefault(File.Exists)
        ?? throw new RefusedException(Error.Unavailable($"user namespace for id mappings: unshare is in none of {SearchPath}"));

    // The caller is a lane's thread: it may wait, but not for ever.
    private static bool Echoes(ChildProcess child)
    {
        using CancellationTokenSource impatience = new(Patience);
        byte[] dot = [(byte)'.'];
        try
        {
            return child.StandardInput!.WriteAsync(dot, impatience.Token).AsTask().GetAwaiter().GetResult()
                && child.StandardOutput!.ReadAsync(dot, impatience.Token).AsTask().GetAwaiter().GetResult() == 1;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
