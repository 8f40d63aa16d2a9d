// SPDX-License-Identifier: Apache-2.0

using System.Net.Sockets;

namespace Containerd.Actors.Ttrpc.Tests;

/// <summary>Two connected streams, made through a listening socket in a directory of its own.</summary>
internal static class SocketPair
{
    public static async Task<(Stream First, Stream Second)> MakeAsync()
    {
        var directory = Directory.CreateTempSubdirectory("ttrpc-");
        try
        {
            var endPoint = new UnixDomainSocketEndPoint(Path.Combine(directory.FullName, "s"));
            using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            listener.Bind(endPoint);
            listener.Listen();
            var accepting = listener.AcceptAsync();
            var first = await TtrpcEndPoints.ConnectAsync(endPoint);
            return (new NetworkStream(first, ownsSocket: true), new NetworkStream(await accepting, ownsSocket: true));
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }
}
