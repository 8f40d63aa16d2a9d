// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Cli.Terminals;
using Microsoft.Win32.SafeHandles;

namespace Containerd.Actors.Cli.Running;

/// <summary>cactl's own standard streams as plain bytes, without the console's line editing.</summary>
/// <remarks>
/// Files are read and written through the console's streams, at the descriptor's own position, which other programs share: a
/// <see cref="FileStream"/> keeps one of its own. Terminals are not: the console would edit lines and switch the keys' mode.
/// </remarks>
internal static class StandardStreams
{
    public static Stream Input() =>
        Native.IsTerminal(Native.StandardInput) ? Open(Native.StandardInput, FileAccess.Read) : Console.OpenStandardInput();

    public static Stream Output() =>
        Native.IsTerminal(Native.StandardOutput) ? Open(Native.StandardOutput, FileAccess.Write) : Console.OpenStandardOutput();

    public static Stream Error() =>
        Native.IsTerminal(Native.StandardError) ? Open(Native.StandardError, FileAccess.Write) : Console.OpenStandardError();

    private static FileStream Open(int descriptor, FileAccess access) =>
        new(new SafeFileHandle(descriptor, ownsHandle: false), access, bufferSize: 0);
}
