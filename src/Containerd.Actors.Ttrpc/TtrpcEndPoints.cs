// SPDX-License-Identifier: Apache-2.0

using System.Net.Sockets;

namespace Containerd.Actors.Ttrpc;

/// <summary>Addresses of sockets as containerd writes them.</summary>
public static class TtrpcEndPoints
{
    private const string UnixScheme = "unix://";

    /// <summary>
    /// <c>unix:///path</c> is a socket file; an absolute path likewise; an address without a scheme is a Linux abstract
    /// socket of that name.
    /// </summary>
    /// <exception cref="ArgumentException">Another scheme, an empty address, or one too long for a socket.</exception>
    public static UnixDomainSocketEndPoint Parse(string address)
    {
        ArgumentException.ThrowIfNullOrEmpty(address);
        if (address.StartsWith(UnixScheme, StringComparison.Ordinal))
        {
            return EndPoint(address[UnixScheme.Length..], address);
        }

        if (address.Contains("://", StringComparison.Ordinal))
        {
            throw new ArgumentException($"unsupported address {address}", nameof(address));
        }

        return address[0] == '/' ? EndPoint(address, address) : EndPoint("\0" + address.TrimStart('\0'), address);
    }

    /// <summary>Connects to a listening socket.</summary>
    /// <exception cref="SocketException">Nobody listens there.</exception>
    public static async Task<Socket> ConnectAsync(UnixDomainSocketEndPoint endPoint, CancellationToken cancellation = default)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(endPoint, cancellation).ConfigureAwait(false);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static UnixDomainSocketEndPoint EndPoint(string path, string address)
    {
        try
        {
            return new UnixDomainSocketEndPoint(path);
        }
        catch (ArgumentException wrong)
        {
            throw new ArgumentException($"invalid address {address}", nameof(address), wrong);
        }
    }
}
