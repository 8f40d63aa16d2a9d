// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace Containerd.Actors.Cli.Terminals;

/// <summary>Terminal control of the C library; termios(3), ioctl_tty(2).</summary>
internal static unsafe partial class Native
{
    internal const int StandardInput = 0;
    internal const int StandardOutput = 1;
    internal const int StandardError = 2;

    // Larger than any Linux termios: 60 bytes on x86-64 and arm64.
    internal const int TermiosBytes = 256;

    private const nuint GetWindowSize = 0x5413; // TIOCGWINSZ
    private const int Now = 0;                  // TCSANOW

    internal static bool IsTerminal(int descriptor) => IsATty(descriptor) == 1;

    internal static TerminalSize? WindowSize(int descriptor)
    {
        ushort* size = stackalloc ushort[4];
        return IoCtl(descriptor, GetWindowSize, size) == 0 && size[1] > 0 ? new TerminalSize(size[1], size[0]) : null;
    }

    internal static byte[] GetAttributes(int descriptor)
    {
        byte[] attributes = new byte[TermiosBytes];
        return TcGetAttr(descriptor, attributes) == 0 ? attributes : throw Failure("tcgetattr");
    }

    internal static void SetAttributes(int descriptor, byte[] attributes)
    {
        if (TcSetAttr(descriptor, Now, attributes) != 0)
        {
            throw Failure("tcsetattr");
        }
    }

    [LibraryImport("libc", EntryPoint = "cfmakeraw")]
    internal static partial void MakeRaw([In, Out] byte[] attributes);

    private static IOException Failure(string call) =>
        new($"terminal: {call}: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");

    [LibraryImport("libc", EntryPoint = "isatty")]
    private static partial int IsATty(int descriptor);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int IoCtl(int descriptor, nuint request, ushort* size);

    [LibraryImport("libc", EntryPoint = "tcgetattr", SetLastError = true)]
    private static partial int TcGetAttr(int descriptor, [Out] byte[] attributes);

    [LibraryImport("libc", EntryPoint = "tcsetattr", SetLastError = true)]
    private static partial int TcSetAttr(int descriptor, int action, byte[] attributes);
}
