// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;
using Containerd.Actors.Linux.Files;

namespace Containerd.Actors.Storage.Diff.Tar;

/// <summary>Writes pax archives: a ustar header each, with an extended one before it where the fields do not suffice.</summary>
internal sealed class TarWriter(Stream target)
{
    private static readonly byte[] Zeros = new byte[1024];

    /// <summary>Writes the headers of an entry; a regular file's bytes follow by <see cref="Write"/>, then <see cref="Pad"/>.</summary>
    public void WriteHeader(TarEntry entry)
    {
        byte[] name = FileNames.Encode(entry.Name);
        byte[] link = FileNames.Encode(entry.LinkName);
        List<byte> records = [];
        AddUnlessShort(records, "path", name);
        AddUnlessShort(records, "linkpath", link);
        AddUnlessFits(records, "size", entry.Size, 11);
        AddUnlessFits(records, "uid", entry.UserId, 7);
        AddUnlessFits(records, "gid", entry.GroupId, 7);
        if (entry.ModifiedAt.Seconds < 0 || entry.ModifiedAt.Nanoseconds != 0)
        {
            Add(records, "mtime", Encoding.ASCII.GetBytes(Time(entry.ModifiedAt)));
        }

        foreach ((string key, byte[] value) in entry.Attributes)
        {
            Add(records, $"SCHILY.xattr.{key}", value);
        }

        if (records.Count > 0)
        {
            byte[] bytes = [.. records];
            WriteBlock("PaxHeaders.0/entry"u8, [], 'x', new TarEntry { Name = "", Kind = TarKind.Regular, Mode = 0x1A4, Size = bytes.Length });
            target.Write(bytes);
            Pad(bytes.Length);
        }

        WriteBlock(name, link, Type(entry.Kind), entry);
    }

    /// <summary>Writes bytes of a regular file.</summary>
    public void Write(ReadOnlySpan<byte> bytes) => target.Write(bytes);

    /// <summary>Fills the last block of a file of this size.</summary>
    public void Pad(long size) => target.Write(Zeros.AsSpan(0, (int)((512 - (size % 512)) % 512)));

    /// <summary>Writes the two zero blocks at the end.</summary>
    public void Finish() => target.Write(Zeros);

    private static string Time(FileTime time)
    {
        // The fraction counts away from zero in text, forward from the second in a file.
        (long seconds, long nanoseconds) = time.Seconds < 0 && time.Nanoseconds > 0
            ? (time.Seconds + 1, 1_000_000_000 - time.Nanoseconds)
            : (time.Seconds, time.Nanoseconds);
        string sign = time.Seconds < 0 ? "-" : "";
        string fraction = nanoseconds == 0 ? "" : $".{nanoseconds:D9}".TrimEnd('0');
        return string.Create(CultureInfo.InvariantCulture, $"{sign}{Math.Abs(seconds)}{fraction}");
    }

    private static char Type(TarKind kind) => kind switch
    {
        TarKind.Regular => '0',
        TarKind.HardLink => '1',
        TarKind.SymbolicLink => '2',
        TarKind.CharacterDevice => '3',
        TarKind.BlockDevice => '4',
        TarKind.Directory => '5',
        _ => '6',
    };

    private void WriteBlock(ReadOnlySpan<byte> name, ReadOnlySpan<byte> link, char type, TarEntry entry)
    {
        Span<byte> block = stackalloc byte[512];
        block.Clear();
        name[..Math.Min(name.Length, 100)].CopyTo(block);
        Octal(block.Slice(100, 8), entry.Mode);
        Octal(block.Slice(108, 8), entry.UserId);
        Octal(block.Slice(116, 8), entry.GroupId);
        Octal(block.Slice(124, 12), entry.Size);
        Octal(block.Slice(136, 12), Math.Max(entry.ModifiedAt.Seconds, 0));
        block.Slice(148, 8).Fill((byte)' ');
        block[156] = (byte)type;
        link[..Math.Min(link.Length, 100)].CopyTo(block[157..]);
        "ustar\u000000"u8.CopyTo(block[257..]);
        Octal(block.Slice(329, 8), entry.DeviceMajor);
        Octal(block.Slice(337, 8), entry.DeviceMinor);
        long sum = 0;
        foreach (byte value in block)
        {
            sum += value;
        }

        Octal(block.Slice(148, 7), sum);
        target.Write(block);
    }

    // What does not fit is in the extended header; the field is zero then.
    private static void Octal(Span<byte> field, long value)
    {
        string digits = Convert.ToString(value, 8).PadLeft(field.Length - 1, '0');
        Encoding.ASCII.GetBytes(digits.Length < field.Length ? digits : new string('0', field.Length - 1)).CopyTo(field);
        field[^1] = 0;
    }

    private static void AddUnlessShort(List<byte> records, string key, byte[] text)
    {
        if (text.Length > 100 || text.AsSpan().ContainsAnyExceptInRange((byte)0x20, (byte)0x7E))
        {
            Add(records, key, text);
        }
    }

    private static void AddUnlessFits(List<byte> records, string key, long value, int digits)
    {
        if (value >= 1L << (3 * digits))
        {
            Add(records, key, Encoding.ASCII.GetBytes(value.ToString(CultureInfo.InvariantCulture)));
        }
    }

    private static void Add(List<byte> records, string key, byte[] value)
    {
        byte[] name = FileNames.Encode(key);
        int rest = name.Length + value.Length + 3;
        int length = rest + 1;
        while (length != rest + Digits(length))
        {
            length = rest + Digits(length);
        }

        records.AddRange(Encoding.ASCII.GetBytes(length.ToString(CultureInfo.InvariantCulture)));
        records.Add((byte)' ');
        records.AddRange(name);
        records.Add((byte)'=');
        records.AddRange(value);
        records.Add((byte)'\n');
    }

    private static int Digits(int number) => number.ToString(CultureInfo.InvariantCulture).Length;
}
