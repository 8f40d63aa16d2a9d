// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;
using Containerd.Actors.Linux.Interop;
using Containerd.Actors.Linux.Processes;
using Microsoft.Win32.SafeHandles;

namespace Containerd.Actors.Linux.Terminals;

/// <summary>The master side of a pseudoterminal; pty(7).</summary>
public sealed unsafe partial class Terminal : IDisposable
{
    private const nuint SetWindowSize = 0x5414;

    internal Terminal(SafeFileHandle master)
    {
        Pipe = new PipeEnd(master);
    }

    /// <summary>What the processes write, and what they are to read.</summary>
    public PipeEnd Pipe { get; }

    /// <summary>Tells the processes the size of the window in characters; tty_ioctl(4), TIOCSWINSZ.</summary>
    /// <exception cref="Core.Linux.LinuxException">ioctl(2) failed.</exception>
    public void Resize(ushort width, ushort height)
    {
        ushort* size = stackalloc ushort[4];
        (size[0], size[1], size[2], size[3]) = (height, width, 0, 0);
        if (ioctl(Pipe.Handle, SetWindowSize, size) != 0)
        {
            throw LinuxErrors.Last("ioctl", "TIOCSWINSZ");
        }
    }

    /// <inheritdoc />
    public void Dispose() => Pipe.Dispose();

    [LibraryImport("libc.so.6", SetLastError = true)]
    private static partial int ioctl(SafeFileHandle file, nuint request, void* argument);
}
