// SPDX-License-Identifier: Apache-2.0

using System.Formats.Tar;

namespace Containerd.Actors.Benchmarks.Images;

/// <summary>Layers as images have them: many small files and a few large ones, half of it text and half of it incompressible.</summary>
/// <remarks>The same number makes the same layer.</remarks>
internal static class FileLayers
{
    private const int FileBytesSmall = 4 << 10;
    private const int FileBytesMiddle = 64 << 10;
    private const int FileBytesLarge = 700 << 10;
    private const int FilesInDirectory = 50;

    private static readonly byte[] Words = "the container of a task is what its image and its snapshot make of it; "u8.ToArray();

    /// <summary>Writes the layer with this number.</summary>
    public static void WriteTo(TarWriter layer, int number, int files)
    {
        Random random = new(number);
        for (int i = 0; i < files; i++)
        {
            int bytes = (i % 8) switch { 0 => FileBytesLarge, < 3 => FileBytesMiddle, _ => FileBytesSmall };
            using MemoryStream content = new(Content(random, bytes));
            layer.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, $"layer-{number}/{i / FilesInDirectory}/file-{i}") { DataStream = content });
        }
    }

    private static byte[] Content(Random random, int bytes)
    {
        byte[] content = new byte[bytes];
        random.NextBytes(content.AsSpan(0, bytes / 2));
        for (int at = bytes / 2; at < bytes; at += Words.Length)
        {
            Words.AsSpan(0, Math.Min(Words.Length, bytes - at)).CopyTo(content.AsSpan(at));
            content[at] = (byte)random.Next('a', 'z');
        }

        return content;
    }
}
