// SPDX-License-Identifier: Apache-2.0

using System.Net.Sockets;
using System.Security.Cryptography;
using Containerd.Actors.Shim.Starting;

namespace Containerd.Actors.Shim.Tests.Starting;

public sealed class ShimSocketSpecs : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("s-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void The_name_is_the_digest_of_address_namespace_and_id()
    {
        string digest = Convert.ToHexStringLower(SHA256.HashData("/run/containerd/containerd.sock/default/c1"u8));
        Assert.Equal($"/s/{digest}", ShimSocket.PathOf("/s", "/run//containerd/containerd.sock/", "default", "c1"));
    }

    [Fact]
    public void A_socket_that_nobody_serves_is_taken_over_and_one_that_is_served_is_not()
    {
        string path = Path.Combine(_directory.FullName, "socket");
        using (Socket dead = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            dead.Bind(new UnixDomainSocketEndPoint(path));
            Assert.False(ShimSocket.IsServed(path));
            using Socket? listening = ShimSocket.Listen(path);
            Assert.NotNull(listening);
            Assert.Null(ShimSocket.Listen(path));
        }
    }
}
