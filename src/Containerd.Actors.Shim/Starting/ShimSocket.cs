// SPDX-License-Identifier: Apache-2.0

using System.Net.Sockets;
using System.Text;

namespace Containerd.Actors.Shim.Starting;

/// <summary>The socket of a shim: <c>unix://DIRECTORY/SHA256</c> of the daemon's address, the namespace and the id of the task or its group.</summary>
internal static class ShimSocket
{
    private const string Scheme = "unix://";
    private const int BacklogMax = 128;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode Private = OwnerOnly | UnixFileMode.UserExecute;

    /// <summary>Where sockets are unless the daemon says otherwise.</summary>
    public const string DefaultDirectory = "/run/containerd/s";

    /// <summary>Path of the socket.</summary>
    public static string PathOf(string directory, string daemonAddress, string ns, string id)
    {
        string joined = Clean($"{daemonAddress}/{ns}/{id}");
        return Path.Combine(directory, Convert.ToHexStringLower(Sha256.Of(Encoding.UTF8.GetBytes(joined))));
    }

    /// <summary>The address as daemons read it.</summary>
    public static string AddressOf(string path) => Scheme + path;

    /// <summary>Listens on the socket; null when a shim serves it already.</summary>
    /// <exception cref="SocketException">The socket cannot be made.</exception>
    public static Socket? Listen(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!, Private);
        for (int attempt = 0; ; attempt++)
        {
            Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                socket.Bind(new UnixDomainSocketEndPoint(path));
                File.SetUnixFileMode(path, OwnerOnly);
                socket.Listen(BacklogMax);
                return socket;
            }
            catch (SocketException taken) when (taken.SocketErrorCode == SocketError.AddressAlreadyInUse && attempt == 0)
            {
                socket.Dispose();
                if (IsServed(path))
                {
                    return null;
                }

                // Left by a shim that was killed.
                File.Delete(path);
            }
        }
    }

    /// <summary>Whether somebody accepts connections there.</summary>
    public static bool IsServed(string path)
    {
        using Socket probe = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(path));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    // As Go's path.Join: no empty parts.
    private static string Clean(string path) =>
        (path.StartsWith('/') ? "/" : "") + string.Join('/', path.Split('/', StringSplitOptions.RemoveEmptyEntries));
}
