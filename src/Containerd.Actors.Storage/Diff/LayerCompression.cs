// SPDX-License-Identifier: Apache-2.0

using System.IO.Compression;
using Containerd.Actors.Linux.Compression;
using Containerd.Actors.Protocol.Errors;
using ZstdSharp;

namespace Containerd.Actors.Storage.Diff;

/// <summary>How the bytes of a layer are compressed.</summary>
public enum LayerCompression
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>RFC 1952; several members may follow one another.</summary>
    Gzip,

    /// <summary>RFC 8878; several frames may follow one another.</summary>
    Zstandard,
}

/// <summary>Media types of layers and the streams that belong to them.</summary>
public static class LayerCompressions
{
    /// <summary>
    /// The compression a media type names; null if the type leaves it open (Docker's plain layers are sniffed).
    /// Types that are no layers are refused as not implemented.
    /// </summary>
    public static LayerCompression? Of(string mediaType)
    {
        int suffix = mediaType.LastIndexOf('+');
        string plain = suffix < 0 ? mediaType : mediaType[..suffix];
        string compression = suffix < 0 ? "" : mediaType[(suffix + 1)..];
        return (plain, compression) switch
        {
            ("application/vnd.oci.image.layer.v1.tar" or "application/vnd.oci.image.layer.nondistributable.v1.tar", _) =>
                compression switch
                {
                    "" => LayerCompression.None,
                    "gzip" => LayerCompression.Gzip,
                    "zstd" => LayerCompression.Zstandard,
                    _ => throw Unsupported(mediaType),
                },
            ("application/vnd.docker.image.rootfs.diff.tar" or "application/vnd.docker.image.rootfs.foreign.diff.tar", "") => null,
            ("application/vnd.docker.image.rootfs.diff.tar.gzip", "") => LayerCompression.Gzip,
            ("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "") => LayerCompression.Gzip,
            ("application/vnd.docker.image.rootfs.diff.tar.zstd", "") => LayerCompression.Zstandard,
            ("application/vnd.docker.image.rootfs.foreign.diff.tar.zstd", "") => LayerCompression.Zstandard,
            _ => throw Unsupported(mediaType),
        };
    }

    /// <summary>The compression that the first bytes show.</summary>
    public static LayerCompression Sniff(ReadOnlySpan<byte> start) =>
        start.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B, 0x08]) ? LayerCompression.Gzip
        : start.StartsWith((ReadOnlySpan<byte>)[0x28, 0xB5, 0x2F, 0xFD]) ? LayerCompression.Zstandard
        : LayerCompression.None;

    /// <summary>
    /// Whether layers are decompressed by libraries of the host where it has them. What is set holds for streams that are opened afterwards.
    /// </summary>
    public static bool UsesHostLibraries { get; set; } = true;

    /// <summary>A stream of the uncompressed bytes; the source is left open.</summary>
    /// <remarks>
    /// By a library of the host if it has one that is known and they are used, otherwise by .NET. Either refuses what is damaged or ends too
    /// early, with <see cref="InvalidDataException"/>, <see cref="EndOfStreamException"/> or <see cref="ZstdException"/>. Bytes behind the
    /// last member of gzip are passed over, bytes behind the last frame of zstd are refused.
    /// </remarks>
    internal static Stream Decompress(Stream source, LayerCompression compression) =>
        (UsesHostLibraries ? TryDecompressByHost(source, compression, out _) : null) ?? DecompressManaged(source, compression);

    /// <summary>As <see cref="Decompress"/>, by a library of the host; null with the reason if it has none that is known.</summary>
    internal static Stream? TryDecompressByHost(Stream source, LayerCompression compression, out string reason)
    {
        reason = "";
        HostDecoder? decoder = compression switch
        {
            LayerCompression.Gzip => GzipDecoder.TryCreate(out reason),
            LayerCompression.Zstandard => ZstdDecoder.TryCreate(out reason),
            _ => null,
        };
        return decoder is null ? null : new HostDecompression(source, decoder);
    }

    /// <summary>As <see cref="Decompress"/>, without a library of the host.</summary>
    internal static Stream DecompressManaged(Stream source, LayerCompression compression) => compression switch
    {
        LayerCompression.Gzip => new GZipStream(source, CompressionMode.Decompress, leaveOpen: true),
        LayerCompression.Zstandard => new DecompressionStream(source, leaveOpen: true),
        _ => source,
    };

    /// <summary>A stream that compresses into the target, which is left open.</summary>
    internal static Stream Compress(Stream target, LayerCompression compression) => compression switch
    {
        LayerCompression.Gzip => new GZipStream(target, CompressionLevel.Optimal, leaveOpen: true),
        LayerCompression.Zstandard => new CompressionStream(target, level: 3, leaveOpen: true),
        _ => target,
    };

    private static RefusedException Unsupported(string mediaType) =>
        new(Error.NotImplemented($"unsupported diff media type: {mediaType}"));
}
