// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;

namespace Containerd.Actors.Storage.Tests.Diff;

/// <summary>Builds archives byte by byte, malformed ones too.</summary>
internal sealed class TarBytes
{
    private readonly List<byte> _bytes = [];

    public TarBytes File(string name, string content, long? size = null) =>
        Header(name, '0', size: size ?? content.Length).Block(Encoding.UTF8.GetBytes(content));

    public TarBytes Directory(string name) => Header(name, '5');

    public TarBytes Link(string name, char type, string target) => Header(name, type, target);

    public TarBytes Pax(string key, string value)
    {
        int length = key.Length + Encoding.UTF8.GetByteCount(value) + 3;
        length += length.ToString(CultureInfo.InvariantCulture).Length;
        length = (length - 1).ToString(CultureInfo.InvariantCulture).Length + key.Length + Encoding.UTF8.GetByteCount(value) + 3;
        byte[] record = Encoding.UTF8.GetBytes($"{length} {key}={value}\n");
        return Header("pax", 'x', size: record.Length).Block(record);
    }

    public TarBytes Header(string name, char type, string link = "", long size = 0, string? sizeField = null)
    {
        byte[] block = new byte[512];
        Encoding.UTF8.GetBytes(name).AsSpan(0, Math.Min(100, Encoding.UTF8.GetByteCount(name))).CopyTo(block);
        Put(block, 100, "0000644\0");
        Put(block, 108, "0000000\0");
        Put(block, 116, "0000000\0");
        Put(block, 136, "00000000001\0");
        if (size < 1L << 33)
        {
            Put(block, 124, Convert.ToString(size, 8).PadLeft(11, '0') + "\0");
        }
        else
        {
            block[124] = 0x80;
            System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(block.AsSpan(128), size);
        }

        if (sizeField is not null)
        {
            Encoding.Latin1.GetBytes(sizeField).CopyTo(block, 124);
        }

        block[156] = (byte)type;
        Put(block, 157, link);
        Put(block, 257, "ustar\0" + "00");
        Seal(block);
        return Raw(block);
    }

    public static void Seal(Span<byte> block)
    {
        block.Slice(148, 8).Fill((byte)' ');
        int sum = 0;
        foreach (byte value in block)
        {
            sum += value;
        }

        Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ").CopyTo(block[148..]);
    }

    public TarBytes Block(byte[] content)
    {
        _bytes.AddRange(content);
        _bytes.AddRange(new byte[(512 - (content.Length % 512)) % 512]);
        return this;
    }

    public TarBytes Raw(byte[] bytes)
    {
        _bytes.AddRange(bytes);
        return this;
    }

    public byte[] Finish()
    {
        _bytes.AddRange(new byte[1024]);
        return _bytes.ToArray();
    }

    public byte[] Unfinished() => _bytes.ToArray();

    private static void Put(byte[] block, int at, string text) => Encoding.UTF8.GetBytes(text).CopyTo(block, at);
}
