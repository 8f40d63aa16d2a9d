// SPDX-License-Identifier: Apache-2.0

using System.Net.Sockets;
using Containerd.Actors.Linux.Sockets;

namespace Containerd.Actors.Linux.Tests.Sockets;

public sealed class PeerCredentialsSpecs : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public async Task The_peer_of_an_accepted_connection_is_known()
    {
        var address = new UnixDomainSocketEndPoint(Path.Combine(_scratch.Root, "socket"));
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(address);
        listener.Listen();
        using var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await client.ConnectAsync(address);
        using Socket accepted = await listener.AcceptAsync();

        PeerCredentials peer = PeerCredentials.Read(accepted);

        Assert.Equal(Environment.ProcessId, peer.Pid);
        Assert.Equal(Environment.IsPrivilegedProcess, peer.Uid == 0);
        Assert.Equal(Environment.ProcessPath, peer.Executable());
    }

    [Fact]
    public void A_peer_that_is_gone_has_no_executable() =>
        Assert.Empty(new PeerCredentials(0, 0, int.MaxValue).Executable());

    [Fact]
    public void A_socket_without_a_peer_shows_nobody()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        PeerCredentials nobody = PeerCredentials.Read(socket);

        Assert.Equal(0, nobody.Pid);
    }
}
