// SPDX-License-Identifier: Apache-2.0

using System.Text;

namespace Containerd.Actors.Linux.Files;

/// <summary>Names of files as texts and back, without loss.</summary>
/// <remarks>
/// A Linux file name is any bytes but NUL and slash. Valid UTF-8 becomes the text it is; every byte that is not part of it
/// becomes a lone low surrogate U+DC80–U+DCFF, which no valid text contains, so that each name survives the round trip.
/// </remarks>
public static class FileNames
{
    private const int Escape = 0xDC00;

    private static readonly UTF8Encoding Strict = new(false, true);

    /// <summary>The text of a name or path given as bytes.</summary>
    public static string Decode(ReadOnlySpan<byte> bytes)
    {
        if (System.Text.Unicode.Utf8.IsValid(bytes))
        {
            return Encoding.UTF8.GetString(bytes);
        }

        StringBuilder text = new(bytes.Length);
        Span<char> pair = stackalloc char[2];
        while (bytes.Length > 0)
        {
            if (Rune.DecodeFromUtf8(bytes, out Rune rune, out int used) == System.Buffers.OperationStatus.Done)
            {
                text.Append(pair[..rune.EncodeToUtf16(pair)]);
                bytes = bytes[used..];
            }
            else
            {
                text.Append((char)(Escape + bytes[0]));
                bytes = bytes[1..];
            }
        }

        return text.ToString();
    }

    /// <summary>The bytes of a name or path given as text. A surrogate that stands for no byte becomes a question mark.</summary>
    public static byte[] Encode(string text)
    {
        byte[] bytes = new byte[Length(text)];
        Write(text, bytes);
        return bytes;
    }

    /// <summary>Number of bytes of the text as a name.</summary>
    public static int Length(string text)
    {
        int length = 0;
        ReadOnlySpan<char> rest = text;
        while (rest.Length > 0)
        {
            int plain = rest.IndexOfAnyInRange('\uD800', '\uDFFF');
            if (plain < 0)
            {
                return length + Strict.GetByteCount(rest);
            }

            length += Strict.GetByteCount(rest[..plain]);
            rest = rest[plain..];
            length += Rune.DecodeFromUtf16(rest, out Rune rune, out int used) == System.Buffers.OperationStatus.Done
                ? rune.Utf8SequenceLength
                : 1;
            rest = rest[used..];
        }

        return length;
    }

    /// <summary>Writes the bytes of the text and returns how many; the buffer holds at least <see cref="Length"/>.</summary>
    public static int Write(string text, Span<byte> bytes)
    {
        int written = 0;
        ReadOnlySpan<char> rest = text;
        while (rest.Length > 0)
        {
            int plain = rest.IndexOfAnyInRange('\uD800', '\uDFFF');
            if (plain < 0)
            {
                return written + Strict.GetBytes(rest, bytes[written..]);
            }

            written += Strict.GetBytes(rest[..plain], bytes[written..]);
            rest = rest[plain..];
            if (Rune.DecodeFromUtf16(rest, out Rune rune, out int used) == System.Buffers.OperationStatus.Done)
            {
                written += rune.EncodeToUtf8(bytes[written..]);
            }
            else
            {
                bytes[written++] = rest[0] is >= '\uDC80' and <= '\uDCFF' ? (byte)(rest[0] - Escape) : (byte)'?';
            }

            rest = rest[used..];
        }

        return written;
    }
}
