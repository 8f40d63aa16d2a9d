// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Linux.Files;
using Containerd.Actors.Protocol.Errors;

namespace Containerd.Actors.Storage.Diff.Tar;

/// <summary>What an entry of an archive is.</summary>
public enum TarKind
{
    /// <summary>Regular file.</summary>
    Regular,

    /// <summary>Another name of a file that came earlier.</summary>
    HardLink,

    /// <summary>Symbolic link.</summary>
    SymbolicLink,

    /// <summary>Character device.</summary>
    CharacterDevice,

    /// <summary>Block device.</summary>
    BlockDevice,

    /// <summary>Directory.</summary>
    Directory,

    /// <summary>Named pipe.</summary>
    Fifo,
}

/// <summary>One entry of an archive: everything but its bytes.</summary>
public sealed record TarEntry
{
    /// <summary>Path as the archive spells it; see <see cref="FileNames"/> for bytes that are not UTF-8.</summary>
    public required string Name { get; init; }

    /// <summary>What it is.</summary>
    public required TarKind Kind { get; init; }

    /// <summary>Target of a link.</summary>
    public string LinkName { get; init; } = "";

    /// <summary>Apparent size in bytes; more than is stored for a sparse file.</summary>
    public long Size { get; init; }

    /// <summary>Permission bits (07777).</summary>
    public uint Mode { get; init; }

    /// <summary>Owner.</summary>
    public long UserId { get; init; }

    /// <summary>Group.</summary>
    public long GroupId { get; init; }

    /// <summary>Modification time.</summary>
    public FileTime ModifiedAt { get; init; }

    /// <summary>Access time; null if the archive has none.</summary>
    public FileTime? AccessedAt { get; init; }

    /// <summary>Device number, major part.</summary>
    public uint DeviceMajor { get; init; }

    /// <summary>Device number, minor part.</summary>
    public uint DeviceMinor { get; init; }

    /// <summary>Extended attributes in the archive's order.</summary>
    public IReadOnlyList<KeyValuePair<string, byte[]>> Attributes { get; init; } = [];

    /// <summary>True if only some ranges of the file are stored; the others are holes.</summary>
    public bool IsSparse { get; init; }
}

/// <summary>Receives an archive as it is read. Calls come in the order of the archive, on the reader's thread.</summary>
public interface ITarSink
{
    /// <summary>An entry begins.</summary>
    void Begin(TarEntry entry);

    /// <summary>Bytes of the entry at this offset of the file; valid during the call.</summary>
    void Content(long offset, ReadOnlySpan<byte> bytes);

    /// <summary>The entry is complete.</summary>
    void End();
}

/// <summary>Bounds on an archive from a stranger.</summary>
public sealed record LayerLimits
{
    /// <summary>Bounds that no honest layer meets.</summary>
    public static LayerLimits Default { get; } = new();

    /// <summary>Entries of the archive.</summary>
    public long MaxEntries { get; init; } = 8_000_000;

    /// <summary>Bytes of the uncompressed archive, and of the files it describes.</summary>
    public long MaxSize { get; init; } = 1L << 40;

    /// <summary>Bytes of a path or a link's target.</summary>
    public int MaxPathLength { get; init; } = 4096;

    /// <summary>Bytes of extended headers of one entry.</summary>
    public int MaxHeaderSize { get; init; } = 1 << 20;

    /// <summary>Ranges of one sparse file.</summary>
    public int MaxSparseRanges { get; init; } = 1 << 16;

    /// <summary>Uncompressed bytes per compressed byte. Deflate cannot exceed 1032.</summary>
    public int MaxRatio { get; init; } = 1100;

    /// <summary>Uncompressed bytes before the ratio is looked at.</summary>
    public long RatioGrace { get; init; } = 64L << 20;

    /// <summary>The refusal for a bound that was met; the text names its key.</summary>
    internal static RefusedException Exceeded(string key, long limit) =>
        new(new Error(ErrorKind.ResourceExhausted, $"layer exceeds {key} = {limit}"));

    /// <summary>The refusal for an archive that is malformed.</summary>
    internal static RefusedException Malformed(string reason, Exception? inner = null) =>
        new(Error.Invalid($"invalid tar archive: {reason}"), inner);
}
