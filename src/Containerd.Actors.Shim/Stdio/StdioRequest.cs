// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Shim.Stdio;

/// <summary>Where the client wants the standard streams of a process.</summary>
/// <param name="Input">FIFO of standard input; empty for none.</param>
/// <param name="Output">FIFO, file or logging program of standard output; empty for none.</param>
/// <param name="Error">The same for standard error; not used with a terminal.</param>
/// <param name="IsTerminal">Whether the process gets a terminal.</param>
internal sealed record StdioRequest(string Input, string Output, string Error, bool IsTerminal)
{
    /// <summary>The scheme that governs all three: that of standard output.</summary>
    public string Scheme => Output.IndexOf("://", StringComparison.Ordinal) is > 0 and var end ? Output[..end] : "fifo";

    /// <summary>A value without its scheme.</summary>
    public static string PathOf(string value)
    {
        int scheme = value.IndexOf("://", StringComparison.Ordinal);
        return scheme < 0 ? value : value[(scheme + 3)..].Split('?', 2)[0];
    }
}
