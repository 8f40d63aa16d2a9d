// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Linux.Compression;

/// <summary>The header of one member, read wherever its bytes are cut; RFC 1952, 2.3.</summary>
/// <remarks>ISA-L 2.30 refuses headers that have a checksum, and so reads none here. A checksum that is there must be right.</remarks>
internal struct GzipHeader
{
    private const int FixedBytes = 10;
    private const byte Deflate = 8;
    private const int FlagsAt = 3;

    // What FLG may tell of; its upper bits are reserved and must be 0.
    private const byte HasChecksum = 2;
    private const byte HasExtra = 4;
    private const byte HasName = 8;
    private const byte HasComment = 16;
    private const byte Reserved = 0xE0;

    private Field _field;
    private byte _flags;
    private int _at;
    private int _number;
    private uint _crc;

    /// <summary>The header at its first byte.</summary>
    public GzipHeader() => _crc = uint.MaxValue;

    private enum Field
    {
        Fixed,
        ExtraLength,
        Extra,
        Name,
        Comment,
        Checksum,
        Done,
    }

    /// <summary>True when all of it was read.</summary>
    public readonly bool IsDone => _field == Field.Done;

    /// <summary>Takes bytes up to the end of the header; answers how many.</summary>
    /// <exception cref="InvalidDataException">It is no header of a member.</exception>
    public int Feed(ReadOnlySpan<byte> bytes)
    {
        int read = 0;
        while (read < bytes.Length && _field != Field.Done)
        {
            Feed(bytes[read++]);
        }

        return read;
    }

    private void Feed(byte value)
    {
        if (_field != Field.Checksum)
        {
            Hash(value);
        }

        switch (_field)
        {
            case Field.Fixed:
                FeedFixed(value);
                break;
            case Field.ExtraLength or Field.Checksum:
                _number |= value << (8 * _at++);
                if (_at == 2)
                {
                    EndNumber();
                }

                break;
            case Field.Extra:
                _number--;
                if (_number == 0)
                {
                    Begin(Field.Name);
                }

                break;
            case Field.Name or Field.Comment when value == 0:
                Begin(_field + 1);
                break;
        }
    }

    private void FeedFixed(byte value)
    {
        bool isWrong = _at switch
        {
            0 => value != 0x1F,
            1 => value != 0x8B,
            2 => value != Deflate,
            FlagsAt => (value & Reserved) != 0,
            _ => false,
        };
        if (isWrong)
        {
            throw Invalid();
        }

        _flags = _at == FlagsAt ? value : _flags;
        if (++_at == FixedBytes)
        {
            Begin(Field.ExtraLength);
        }
    }

    private void EndNumber()
    {
        if (_field == Field.Checksum && _number != (int)(~_crc & 0xFFFF))
        {
            throw Invalid();
        }

        if (_field == Field.ExtraLength && _number > 0)
        {
            _field = Field.Extra;
            return;
        }

        Begin(_field == Field.ExtraLength ? Field.Name : Field.Done);
    }

    // The next field that is there.
    private void Begin(Field field)
    {
        (_at, _number) = (0, 0);
        while (field switch
        {
            Field.ExtraLength or Field.Extra => (_flags & HasExtra) == 0,
            Field.Name => (_flags & HasName) == 0,
            Field.Comment => (_flags & HasComment) == 0,
            Field.Checksum => (_flags & HasChecksum) == 0,
            _ => false,
        })
        {
            field++;
        }

        _field = field;
    }

    // CRC-32 of RFC 1952, 8, bit by bit: headers are short.
    private void Hash(byte value)
    {
        const uint polynomial = 0xEDB88320;
        _crc ^= value;
        for (int bit = 0; bit < 8; bit++)
        {
            _crc = (_crc >> 1) ^ (polynomial & (0 - (_crc & 1)));
        }
    }

    private static InvalidDataException Invalid() => new("gzip: invalid header");
}
