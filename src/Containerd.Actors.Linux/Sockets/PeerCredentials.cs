// SPDX-License-Identifier: Apache-2.0

using System.Net.Sockets;
using Containerd.Actors.Core.Linux;
using Containerd.Actors.Linux.Interop;

namespace Containerd.Actors.Linux.Sockets;

/// <summary>Who is at the other end of a unix socket, as the kernel knows it since the connection was made; SO_PEERCRED in unix(7).</summary>
/// <param name="Uid">Effective user id.</param>
/// <param name="Gid">Effective group id.</param>
/// <param name="Pid">Process id; 0 when the peer is in another pid namespace.</param>
public sealed record PeerCredentials(uint Uid, uint Gid, int Pid)
{
    /// <summary>Asks the kernel.</summary>
    /// <exception cref="LinuxException">The socket is no connected unix socket.</exception>
    public static unsafe PeerCredentials Read(Socket socket)
    {
        ArgumentNullException.ThrowIfNull(socket);
        ProcessCalls.Credentials credentials;
        uint length = (uint)sizeof(ProcessCalls.Credentials);
        int answer = ProcessCalls.getsockopt(
            (int)socket.SafeHandle.DangerousGetHandle(), ProcessCalls.SOL_SOCKET, ProcessCalls.SO_PEERCRED, &credentials, &length);
        return answer == 0
            ? new PeerCredentials(credentials.Uid, credentials.Gid, credentials.Pid)
            : throw LinuxErrors.Last("getsockopt", "SO_PEERCRED");
    }

    /// <summary>The program the peer runs now, from <c>/proc/PID/exe</c>; empty when it ended or may not be looked at.</summary>
    public string Executable()
    {
        try
        {
            return Pid > 0 ? new FileInfo($"/proc/{Pid}/exe").LinkTarget ?? string.Empty : string.Empty;
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return string.Empty;
        }
    }
}
