// SPDX-License-Identifier: Apache-2.0

using System.Net.Sockets;
using System.Runtime.InteropServices;
using Containerd.Actors.Linux.Interop;
using Microsoft.Win32.SafeHandles;

namespace Containerd.Actors.Linux.Terminals;

/// <summary>The socket over which an OCI runtime hands out the master side of a terminal: one message with one descriptor (unix(7), SCM_RIGHTS).</summary>
public sealed partial class ConsoleSocket : IDisposable
{
    private const int SolSocket = 1;
    private const int ScmRights = 1;
    private const int CloseOnExec = 0x40000000;
    private const int NonBlocking = 0x800;
    private const int SetFlags = 4;
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("pty");
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

    /// <summary>Listens on a socket of its own.</summary>
    public ConsoleSocket()
    {
        Path = System.IO.Path.Combine(_directory.FullName, "pty.sock");
        _listener.Bind(new UnixDomainSocketEndPoint(Path));
        _listener.Listen(1);
    }

    /// <summary>Where the runtime connects.</summary>
    public string Path { get; }

    /// <summary>The master side of the terminal that the runtime made.</summary>
    /// <exception cref="Core.Linux.LinuxException">The message could not be received.</exception>
    /// <exception cref="IOException">The message holds no descriptor.</exception>
    public async Task<Terminal> ReceiveAsync(CancellationToken cancellation)
    {
        using Socket peer = await _listener.AcceptAsync(cancellation).ConfigureAwait(false);

        // The message is already on its way: the runtime connects only to send it.
        await peer.ReceiveAsync(Memory<byte>.Empty, cancellation).ConfigureAwait(false);
        return new Terminal(Receive(peer.SafeHandle));
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _listener.Dispose();
        _directory.Delete(recursive: true);
    }

    private static unsafe SafeFileHandle Receive(SafeSocketHandle socket)
    {
        byte* data = stackalloc byte[4096];
        byte* control = stackalloc byte[64];
        Vector vector = new() { Base = data, Length = 4096 };
        Message message = new() { Vectors = &vector, VectorCount = 1, Control = control, ControlLength = 64 };
        nint count;
        do
        {
            count = recvmsg((int)socket.DangerousGetHandle(), &message, CloseOnExec);
        }
        while (count < 0 && Marshal.GetLastPInvokeError() == LinuxErrors.EINTR);
        if (count < 0)
        {
            throw LinuxErrors.Last("recvmsg", "console socket");
        }

        // cmsg(3): length, level, type, then the descriptors.
        bool hasDescriptor = message.ControlLength >= 20 && *(int*)(control + 8) == SolSocket && *(int*)(control + 12) == ScmRights;
        if (!hasDescriptor)
        {
            throw new IOException("console socket: the runtime sent no terminal");
        }

        SafeFileHandle master = new(*(int*)(control + 16), ownsHandle: true);
        return fcntl(master, SetFlags, NonBlocking) == 0 ? master : throw LinuxErrors.Last("fcntl", "terminal");
    }

    [LibraryImport("libc.so.6", SetLastError = true)]
    private static unsafe partial nint recvmsg(int socket, Message* message, int flags);

    [LibraryImport("libc.so.6", SetLastError = true)]
    private static partial int fcntl(SafeFileHandle file, int command, int argument);

    [StructLayout(LayoutKind.Sequential)]
    private unsafe struct Vector
    {
        public byte* Base;
        public nuint Length;
    }

    [StructLayout(LayoutKind.Sequential)]
    private unsafe struct Message
    {
        public void* Name;
        public uint NameLength;
        public Vector* Vectors;
        public nuint VectorCount;
        public void* Control;
        public nuint ControlLength;
        public int Flags;
    }
}
