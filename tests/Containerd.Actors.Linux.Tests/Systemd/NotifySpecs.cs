// SPDX-License-Identifier: Apache-2.0

using System.Net.Sockets;
using System.Text;
using Containerd.Actors.Linux.Systemd;

namespace Containerd.Actors.Linux.Tests.Systemd;

public sealed class NotifySpecs : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_state_reaches_the_service_manager(bool isAbstract)
    {
        string name = isAbstract ? "notify-" + Guid.NewGuid().ToString("N") : Path.Combine(_scratch.Root, "notify");
        using var manager = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { ReceiveTimeout = 5_000 };
        manager.Bind(new UnixDomainSocketEndPoint(isAbstract ? "\0" + name : name));

        Assert.True(Notify.SendTo(isAbstract ? "@" + name : name, Notify.Ready));

        byte[] buffer = new byte[64];
        Assert.Equal("READY=1", Encoding.UTF8.GetString(buffer, 0, manager.Receive(buffer)));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("relative")]
    public void Without_a_service_manager_nothing_is_sent(string? socket) => Assert.False(Notify.SendTo(socket, Notify.Ready));
}
