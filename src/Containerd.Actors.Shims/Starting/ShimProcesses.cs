// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Containerd.Actors.Core.Linux;
using Containerd.Actors.Linux.Pids;
using Microsoft.Win32.SafeHandles;

namespace Containerd.Actors.Shims.Starting;

/// <summary>Shims by their command lines: the way to those whose address nobody wrote down.</summary>
/// <remarks>
/// A daemon that is killed while a shim's <c>start</c> runs leaves that process behind, which then starts a server of which no
/// bundle knows. Namespace, id and the daemon's own address on the command line tell whose it is.
/// </remarks>
/// <param name="grpcAddress">Address that the daemon gives its shims.</param>
public sealed class ShimProcesses(string grpcAddress)
{
    private const int SignalKill = 9;
    private const int LooksMax = 5;
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(1);

    /// <summary>Ends every shim of this container, servers and <c>start</c> actions alike; returns how many there were.</summary>
    /// <remarks>
    /// Each is gone when this returns, unless the kernel holds it for more than a second. It looks again as long as it finds some: a
    /// <c>start</c> may make its server while the first look is under way. Blocks; call it where that is allowed.
    /// </remarks>
    public int Kill(string ns, string id)
    {
        int all = 0;
        for (int look = 0, killed = 1; killed > 0 && look < LooksMax; look++)
        {
            killed = KillSeen(ns, id);
            all += killed;
        }

        return all;
    }

    /// <summary>True for the command line of a shim of this container.</summary>
    public bool IsShim(IReadOnlyList<string> arguments, string ns, string id) =>
        arguments.Count > 0
        && Path.GetFileName(arguments[0]).StartsWith("containerd-shim-", StringComparison.Ordinal)
        && Value(arguments, "-namespace") == ns
        && Value(arguments, "-id") == id
        && Value(arguments, "-address") == grpcAddress;

    private int KillSeen(string ns, string id)
    {
        int killed = 0;
        foreach (string directory in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory), NumberStyles.None, CultureInfo.InvariantCulture, out int pid) && IsShim(pid, ns, id))
            {
                killed += Kill(pid, ns, id) ? 1 : 0;
            }
        }

        return killed;
    }

    private bool IsShim(int pid, string ns, string id)
    {
        try
        {
            string[] arguments = File.ReadAllText($"/proc/{pid}/cmdline").TrimEnd('\0').Split('\0');
            return IsShim(arguments, ns, id);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It ended meanwhile.
            return false;
        }
    }

    // The descriptor is opened before the second look, so that a number passed on meanwhile is never hit.
    private bool Kill(int pid, string ns, string id)
    {
        try
        {
            using SafeFileHandle process = PidFd.Open(pid);
            if (!IsShim(pid, ns, id))
            {
                return false;
            }

            PidFd.Signal((int)process.DangerousGetHandle(), SignalKill);
            PidFd.HasExited(process, EndTimeout);
            return true;
        }
        catch (LinuxException gone) when (gone.Error.Name == "ESRCH")
        {
            return false;
        }
    }

    private static string? Value(IReadOnlyList<string> arguments, string flag)
    {
        for (int i = 0; i + 1 < arguments.Count; i++)
        {
            if (arguments[i] == flag)
            {
                return arguments[i + 1];
            }
        }

        return null;
    }
}
