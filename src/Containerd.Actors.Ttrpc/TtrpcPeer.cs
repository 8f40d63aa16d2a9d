// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Containerd.Actors.Ttrpc;

/// <summary>Who is at the other end of a unix socket, as the kernel recorded at connect (unix(7), SO_PEERCRED).</summary>
/// <param name="Pid">Process.</param>
/// <param name="Uid">Effective user.</param>
/// <param name="Gid">Effective group.</param>
public readonly record struct TtrpcPeer(int Pid, uint Uid, uint Gid)
{
    private const int SolSocket = 1;
    private const int SoPeerCred = 17;
    private static readonly Lazy<(uint Uid, uint Gid)> Own = new(() => (Effective("Uid:"), Effective("Gid:")));

    /// <summary>Whether the peer runs as this process does: the check of containerd's shims and daemon.</summary>
    public bool IsSelf => (Uid, Gid) == Own.Value;

    /// <summary>Asks the kernel.</summary>
    public static TtrpcPeer Of(Socket socket)
    {
        ArgumentNullException.ThrowIfNull(socket);
        Span<byte> raw = stackalloc byte[12];
        socket.GetRawSocketOption(SolSocket, SoPeerCred, raw);
        return new TtrpcPeer(MemoryMarshal.Read<int>(raw), MemoryMarshal.Read<uint>(raw[4..]), MemoryMarshal.Read<uint>(raw[8..]));
    }

    // proc(5): the second number of the line is the effective id.
    private static uint Effective(string label)
    {
        foreach (var line in File.ReadLines("/proc/self/status"))
        {
            if (line.StartsWith(label, StringComparison.Ordinal))
            {
                return uint.Parse(line.Split('\t', StringSplitOptions.RemoveEmptyEntries)[2], CultureInfo.InvariantCulture);
            }
        }

        throw new InvalidDataException($"/proc/self/status has no line {label}");
    }
}
