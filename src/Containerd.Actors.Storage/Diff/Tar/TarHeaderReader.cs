// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Linux.Files;

namespace Containerd.Actors.Storage.Diff.Tar;

/// <summary>Where the map of a sparse file is stored.</summary>
internal enum SparseForm
{
    /// <summary>Nowhere, or in the extended header.</summary>
    None,

    /// <summary>In further blocks behind the header (old GNU).</summary>
    OldGnuExtended,

    /// <summary>As text at the start of the content (GNU 1.0).</summary>
    Text,
}

/// <summary>Puts together the entry that one or more headers describe.</summary>
internal sealed class TarHeaderReader(LayerLimits limits)
{
    private byte[] _header = [];
    private char _type;
    private string? _longName;
    private string? _longLink;
    private PaxRecords? _records;
    private string _name = "";
    private string _link = "";
    private long _size;
    private List<long>? _sparse;
    private long _sparseSize;
    private long _sparseCount = -1;
    private string _sparseText = "";

    /// <summary>True between an extended header and the entry it belongs to.</summary>
    public bool HasPending => _longName is not null || _longLink is not null || _records is not null || ExtendedSize is not null;

    /// <summary>Bytes of the extended header that follows; null if the header was an entry's.</summary>
    public int? ExtendedSize { get; private set; }

    /// <summary>Bytes stored for the entry, a sparse map in text form included.</summary>
    public long StoredSize { get; private set; }

    /// <summary>What has to be read before <see cref="TakeEntry"/>.</summary>
    public SparseForm SparseForm { get; private set; }

    /// <summary>Reads a header block.</summary>
    public void Parse(byte[] block)
    {
        VerifyChecksum(block);
        _type = (char)block[156];
        _size = TarNumbers.Field(block.AsSpan(124, 12), "size");
        if (_size < 0)
        {
            throw LayerLimits.Malformed("size is negative");
        }

        if (_type is 'x' or 'g' or 'L' or 'K')
        {
            ExtendedSize = (int)Math.Min(_size, int.MaxValue);
            return;
        }

        ExtendedSize = null;
        _header = block.AsSpan().ToArray();
        _name = Required(_records?.Values.GetValueOrDefault("path") ?? _longName ?? PlainName(block), "name");
        _link = Bounded(_records?.Values.GetValueOrDefault("linkpath") ?? _longLink ?? TarNumbers.Text(block.AsSpan(157, 100)));
        if (_records?.Values.GetValueOrDefault("size") is { } size)
        {
            _size = TarNumbers.Decimal(size, "size");
        }

        // Links, devices and directories store nothing, whatever their size says; POSIX allows a size there.
        StoredSize = _type is '\0' or '0' or '7' or 'S' ? _size : 0;
        PrepareSparse(block);
    }

    /// <summary>Takes in the content of an extended header.</summary>
    public void TakeExtended(ReadOnlySpan<byte> content)
    {
        ExtendedSize = null;
        switch (_type)
        {
            case 'L':
                _longName = Bounded(TarNumbers.Text(content));
                break;
            case 'K':
                _longLink = Bounded(TarNumbers.Text(content));
                break;
            case 'x':
                _records = new PaxRecords();
                _records.Read(content, limits);
                break;
            default:
                // Global headers hold comments in practice; containerd ignores them too.
                new PaxRecords().Read(content, limits);
                break;
        }
    }

    /// <summary>Reads a further block of an old GNU map; false if it was the last.</summary>
    public bool AddSparseExtension(ReadOnlySpan<byte> block)
    {
        AddSparseFields(block, 21);
        return block[504] != 0;
    }

    /// <summary>Reads a block of a map in text form; true if it was the last.</summary>
    public bool AddSparseText(ReadOnlySpan<byte> block)
    {
        // Decimal numbers, each closed by a newline: the count, then offset and length in turn; NULs fill the last block.
        foreach (byte value in block)
        {
            if (value != (byte)'\n')
            {
                if (_sparseText.Length >= 20)
                {
                    throw LayerLimits.Malformed("sparse map is not text");
                }

                _sparseText += (char)value;
                continue;
            }

            long number = TarNumbers.Decimal(_sparseText, "sparse map");
            _sparseText = "";
            if (_sparseCount < 0)
            {
                _sparseCount = number <= limits.MaxSparseRanges
                    ? number
                    : throw LayerLimits.Exceeded(nameof(LayerLimits.MaxSparseRanges), limits.MaxSparseRanges);
            }
            else
            {
                _sparse!.Add(number);
            }

            if (_sparse!.Count == 2 * _sparseCount)
            {
                _sparseText = "";
                return true;
            }
        }

        return false;
    }

    /// <summary>The entry; what extended headers said is forgotten with this.</summary>
    public TarEntry TakeEntry(out SparseMap? sparse)
    {
        Dictionary<string, string> values = _records?.Values ?? [];
        sparse = _sparse is null ? null : SparseMap.From(_sparse, _sparseSize, limits);
        ReadOnlySpan<byte> header = _header;
        TarEntry entry = new()
        {
            Name = _name,
            Kind = Kind(),
            LinkName = _type is '1' or '2' ? Required(_link, "link name") : "",
            Size = sparse is null ? StoredSize : _sparseSize,
            Mode = (uint)(TarNumbers.Field(header.Slice(100, 8), "mode") & 0xFFF),
            UserId = values.GetValueOrDefault("uid") is { } user
                ? TarNumbers.Decimal(user, "uid")
                : TarNumbers.Field(header.Slice(108, 8), "uid"),
            GroupId = values.GetValueOrDefault("gid") is { } group
                ? TarNumbers.Decimal(group, "gid")
                : TarNumbers.Field(header.Slice(116, 8), "gid"),
            ModifiedAt = values.GetValueOrDefault("mtime") is { } modified
                ? TarNumbers.Time(modified, "mtime")
                : new FileTime(TarNumbers.Field(header.Slice(136, 12), "mtime"), 0),
            AccessedAt = values.GetValueOrDefault("atime") is { } accessed ? TarNumbers.Time(accessed, "atime") : null,
            DeviceMajor = Device(329),
            DeviceMinor = Device(337),
            Attributes = _records?.Attributes ?? [],
            IsSparse = sparse is not null,
        };
        (_longName, _longLink, _records, _sparse) = (null, null, null, null);
        return entry;
    }

    private TarKind Kind() => _type switch
    {
        // Before POSIX a directory was a file whose name ends in a slash.
        '\0' or '0' or '7' or 'S' => _type != 'S' && _name.EndsWith('/') ? TarKind.Directory : TarKind.Regular,
        '1' => TarKind.HardLink,
        '2' => TarKind.SymbolicLink,
        '3' => TarKind.CharacterDevice,
        '4' => TarKind.BlockDevice,
        '5' => TarKind.Directory,
        '6' => TarKind.Fifo,
        _ => throw LayerLimits.Malformed($"entry \"{_name}\": unhandled tar header type {(int)_type}"),
    };

    private uint Device(int at)
    {
        if (_type is not ('3' or '4'))
        {
            return 0;
        }

        long number = TarNumbers.Field(_header.AsSpan(at, 8), "device number");
        return number is >= 0 and <= uint.MaxValue ? (uint)number : throw LayerLimits.Malformed("device number is out of range");
    }

    private void PrepareSparse(byte[] block)
    {
        SparseForm = SparseForm.None;
        _sparse = null;
        _sparseCount = -1;
        _sparseText = "";
        Dictionary<string, string>? values = _records?.Values;
        if (_type == 'S')
        {
            _sparse = [];
            _sparseSize = TarNumbers.Field(block.AsSpan(483, 12), "sparse size");
            AddSparseFields(block.AsSpan(386), 4);
            SparseForm = block[482] != 0 ? SparseForm.OldGnuExtended : SparseForm.None;
        }
        else if (values is not null && _type is '\0' or '0' or '7')
        {
            if (values!.GetValueOrDefault("GNU.sparse.major") == "1" && values!.GetValueOrDefault("GNU.sparse.minor") == "0")
            {
                _sparse = [];
                SparseForm = SparseForm.Text;
            }
            else if (values!.GetValueOrDefault("GNU.sparse.map") is { } map)
            {
                string[] numbers = map.Split(',', (2 * limits.MaxSparseRanges) + 2);
                _sparse = [.. numbers.Select(static number => TarNumbers.Decimal(number, "sparse map"))];
            }
            else if (_records!.SparseNumbers.Count > 0)
            {
                _sparse = _records.SparseNumbers;
            }
        }

        if (_sparse is not null && values is not null && _type != 'S')
        {
            string size = values.GetValueOrDefault("GNU.sparse.realsize") ?? values.GetValueOrDefault("GNU.sparse.size") ?? "";
            _sparseSize = TarNumbers.Decimal(size, "sparse size");
            _name = values.GetValueOrDefault("GNU.sparse.name") is { } name ? Required(name, "name") : _name;
        }

        if (_sparse is not null && _sparseSize < 0)
        {
            throw LayerLimits.Malformed("sparse size is negative");
        }
    }

    private void AddSparseFields(ReadOnlySpan<byte> fields, int count)
    {
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> pair = fields.Slice(i * 24, 24);
            if (pair[0] == 0)
            {
                return;
            }

            _sparse!.Add(TarNumbers.Field(pair[..12], "sparse offset"));
            _sparse.Add(TarNumbers.Field(pair[12..], "sparse length"));
            if (_sparse.Count > 2 * limits.MaxSparseRanges)
            {
                throw LayerLimits.Exceeded(nameof(LayerLimits.MaxSparseRanges), limits.MaxSparseRanges);
            }
        }
    }

    // ustar keeps the front of a long path in a field of its own; GNU's header uses the same bytes for times.
    private static string PlainName(ReadOnlySpan<byte> block)
    {
        string name = TarNumbers.Text(block[..100]);
        bool posix = block.Slice(257, 6).SequenceEqual("ustar\0"u8);
        string prefix = posix ? TarNumbers.Text(block.Slice(345, 155)) : "";
        return prefix.Length == 0 ? name : $"{prefix}/{name}";
    }

    private string Required(string text, string what) =>
        text.Length > 0 ? Bounded(text) : throw LayerLimits.Malformed($"{what} is empty");

    private string Bounded(string text) =>
        text.Length <= limits.MaxPathLength
            ? text
            : throw LayerLimits.Exceeded(nameof(LayerLimits.MaxPathLength), limits.MaxPathLength);

    private static void VerifyChecksum(ReadOnlySpan<byte> block)
    {
        long stored = TarNumbers.Field(block.Slice(148, 8), "checksum");
        long plain = 8 * ' ';
        long signed = 8 * ' ';
        for (int i = 0; i < block.Length; i++)
        {
            if (i is < 148 or >= 156)
            {
                plain += block[i];
                signed += (sbyte)block[i];
            }
        }

        if (stored != plain && stored != signed)
        {
            throw LayerLimits.Malformed("header has a wrong checksum");
        }
    }
}
