// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Cli.Options;

/// <summary>Reads environment variables, labels and credentials.</summary>
internal static class Pairs
{
    /// <summary>Reads <c>KEY=VALUE</c>; a key alone takes its value from cactl's own environment and is dropped if unset there.</summary>
    /// <exception cref="FormatException">The key is empty.</exception>
    public static string? ParseEnvironment(string text, Func<string, string?> environment)
    {
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        if (text.Length == 0 || equals == 0)
        {
            throw new FormatException($"variable \"{text}\": must be KEY=VALUE or KEY");
        }

        return equals > 0 ? text : environment(text) is { } value ? $"{text}={value}" : null;
    }

    /// <summary>Reads <c>KEY=VALUE</c>; a key alone has an empty value.</summary>
    /// <exception cref="FormatException">The key is empty, or the label longer than containerd allows (4096 bytes).</exception>
    public static KeyValuePair<string, string> ParseLabel(string text)
    {
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        string key = equals < 0 ? text : text[..equals];
        string value = equals < 0 ? "" : text[(equals + 1)..];
        if (key.Length == 0)
        {
            throw new FormatException($"label \"{text}\": must be KEY=VALUE");
        }

        return System.Text.Encoding.UTF8.GetByteCount(key) + System.Text.Encoding.UTF8.GetByteCount(value) > 4096
            ? throw new FormatException($"label \"{Output.Table.Cut(key, 64)}\": longer than 4096 bytes")
            : KeyValuePair.Create(key, value);
    }

    /// <summary>Reads <c>NAME[:SECRET]</c>; the secret is everything behind the first colon.</summary>
    public static (string Name, string Secret) ParseCredentials(string? text)
    {
        if (string.IsNullOrEmpty(text))
        {
            return ("", "");
        }

        int colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? (text, "") : (text[..colon], text[(colon + 1)..]);
    }
}
