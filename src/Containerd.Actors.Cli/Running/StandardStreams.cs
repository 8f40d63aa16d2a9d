// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Cli.Terminals;
using Microsoft.Win32.SafeHandles;

namespace Containerd.Actors.Cli.Running;

/// <summary>cactl's own standard streams as plain bytes, without the console's line editing.</summary>
/// <remarks>
/// The console's streams read and write at the descriptor's own position, which other programs share when it is a file; a
/// <see cref="FileStream"/> keeps one of its own. Only a terminal is read through one: the console would edit its lines.
/// </remarks>
internal static class StandardStreams
{
    public static Stream Input() => Native.IsTerminal(Native.StandardInput)
        ? new FileStream(new SafeFileHandle(Native.StandardInput, ownsHandle: false), FileAccess.Read, bufferSize: 0)
        : Console.OpenStandardInput();

    public static Stream Output() => Console.OpenStandardOutput();

    public static Stream Error() => Console.OpenStandardError();
}
