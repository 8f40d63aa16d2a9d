// SPDX-License-Identifier: Apache-2.0

using System.Text;

namespace Containerd.Actors.Cli.Terminals;

/// <summary>Asks for a secret without showing it; reads a line of standard input where there is no terminal.</summary>
internal static class SecretPrompt
{
    private const byte Interrupt = 3;
    private const byte LineFeed = (byte)'\n';
    private const byte Return = (byte)'\r';
    private const int BytesMax = 64 * 1024;

    /// <summary>The secret, without the line's end.</summary>
    /// <exception cref="OperationCanceledException">The user interrupted.</exception>
    public static string Ask(TextWriter prompt, string text)
    {
        using RawTerminal? raw = RawTerminal.Enter();
        if (raw is not null)
        {
            prompt.Write(text);
            prompt.Flush();
        }

        using Stream input = Running.StandardStreams.Input();
        var secret = new List<byte>();
        for (int next = input.ReadByte(); next is not (-1 or LineFeed or Return) && secret.Count < BytesMax; next = input.ReadByte())
        {
            if (raw is not null && next == Interrupt)
            {
                throw new OperationCanceledException();
            }

            secret.Add((byte)next);
        }

        prompt.Write(raw is null ? "" : "\r\n");
        return Encoding.UTF8.GetString([.. secret]);
    }
}
