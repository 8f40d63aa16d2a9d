// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Cli.Terminals;

/// <summary>Size of a terminal in characters.</summary>
internal readonly record struct TerminalSize(int Width, int Height)
{
    /// <summary>Of the terminal on standard output; null if that is none.</summary>
    public static TerminalSize? OfOutput() => Native.WindowSize(Native.StandardOutput);

    /// <summary>Of the terminal on standard input; null if that is none.</summary>
    public static TerminalSize? OfInput() => Native.WindowSize(Native.StandardInput);
}
