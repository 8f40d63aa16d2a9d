// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Cli.Terminals;

/// <summary>Passes every key to the process while it lives; the terminal is as before once it is disposed.</summary>
internal sealed class RawTerminal : IDisposable
{
    private byte[]? _before;

    private RawTerminal(byte[] before) => _before = before;

    /// <summary>Switches the terminal on standard input; null if that is none.</summary>
    public static RawTerminal? Enter()
    {
        if (!Native.IsTerminal(Native.StandardInput))
        {
            return null;
        }

        byte[] before = Native.GetAttributes(Native.StandardInput);
        byte[] raw = [.. before];
        Native.MakeRaw(raw);
        Native.SetAttributes(Native.StandardInput, raw);
        return new RawTerminal(before);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _before, null) is { } before)
        {
            Native.SetAttributes(Native.StandardInput, before);
        }
    }
}
