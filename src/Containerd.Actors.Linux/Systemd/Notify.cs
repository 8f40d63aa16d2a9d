// SPDX-License-Identifier: Apache-2.0

using System.Net.Sockets;

namespace Containerd.Actors.Linux.Systemd;

/// <summary>Tells the service manager how the daemon is; sd_notify(3). Does nothing where no service manager listens.</summary>
public static class Notify
{
    /// <summary>The daemon serves.</summary>
    public const string Ready = "READY=1";

    /// <summary>The daemon is about to end.</summary>
    public const string Stopping = "STOPPING=1";

    /// <summary>The daemon is alive; expected at least every half <c>WATCHDOG_USEC</c>.</summary>
    public const string Watchdog = "WATCHDOG=1";

    /// <summary>Sends a state to <c>$NOTIFY_SOCKET</c>; false when there is none.</summary>
    /// <exception cref="SocketException">The socket is there but does not take it.</exception>
    public static bool Send(string state) => SendTo(Environment.GetEnvironmentVariable("NOTIFY_SOCKET"), state);

    /// <summary>Half the time in which the service manager wants to hear of the daemon; null when it does not.</summary>
    public static TimeSpan? WatchdogInterval() =>
        long.TryParse(Environment.GetEnvironmentVariable("WATCHDOG_USEC"), out long microseconds) && microseconds > 0
            ? TimeSpan.FromMicroseconds(microseconds / 2.0)
            : null;

    /// <summary>Sends a state to a socket; a leading <c>@</c> means the abstract name space.</summary>
    internal static bool SendTo(string? socket, string state)
    {
        if (string.IsNullOrEmpty(socket) || socket[0] is not ('/' or '@'))
        {
            return false;
        }

        using var sender = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        sender.SendTo(System.Text.Encoding.UTF8.GetBytes(state), new UnixDomainSocketEndPoint(socket[0] == '@' ? "\0" + socket[1..] : socket));
        return true;
    }
}
