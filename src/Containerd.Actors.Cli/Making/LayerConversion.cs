// SPDX-License-Identifier: Apache-2.0

using System.IO.Compression;
using System.Security.Cryptography;
using Containerd.Actors.Cli.Errors;
using Containerd.Actors.Client.Connections;
using Containerd.Actors.Client.Contents;
using Containerd.Actors.Oci.Images;
using ZstdSharp;

namespace Containerd.Actors.Cli.Making;

/// <summary>Stores layers anew with another compression.</summary>
/// <remarks>Layers pass through files of their own in the directory for temporary files, so that their size is nobody's memory.</remarks>
internal sealed class LayerConversion(ContainerdConnection connection)
{
    private const int BufferBytes = 256 * 1024;
    private const int ZstdLevel = 3;

    /// <summary>How the bytes of a layer are compressed, whatever its type says.</summary>
    public async Task<LayerCompression> SniffAsync(Descriptor layer, CancellationToken cancellation)
    {
        byte[] start = await BlobReader.ReadStartAsync(connection, layer.Digest.ToString(), 4, cancellation).ConfigureAwait(false);
        return start.AsSpan().StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B, 0x08]) ? LayerCompression.Gzip
            : start.AsSpan().StartsWith((ReadOnlySpan<byte>)[0x28, 0xB5, 0x2F, 0xFD]) ? LayerCompression.Zstd
            : LayerCompression.None;
    }

    /// <summary>Stores a layer with another compression; answers its digest and size.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="diffId">The digest of its archive; null when nobody told.</param>
    /// <param name="from">How it is compressed.</param>
    /// <param name="to">How it will be.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="CliFailure">The archive is damaged, or not the one of the digest.</exception>
    public async Task<(Digest Digest, long Size)> ConvertAsync(
        Descriptor layer, Digest? diffId, LayerCompression from, LayerCompression to, CancellationToken cancellation)
    {
        FileStream stored = Temporary();
        FileStream converted = Temporary();
        await using (stored.ConfigureAwait(false))
        await using (converted.ConfigureAwait(false))
        {
            await BlobReader.CopyAsync(connection, layer.Digest.ToString(), stored, cancellation).ConfigureAwait(false);
            stored.Position = 0;
            Digest found = await RecompressAsync(layer, stored, from, converted, to, cancellation).ConfigureAwait(false);
            if (diffId is not null && found != diffId)
            {
                throw new CliFailure(layer.Digest.ToString(), $"the layer's archive is {found}, the configuration says {diffId}");
            }

            converted.Position = 0;
            var labels = new Dictionary<string, string>(StringComparer.Ordinal) { [ContentLabels.Uncompressed] = found.ToString() };
            (string digest, long size) = await BlobWriter.WriteAsync(
                connection, $"convert-{layer.Digest}-{to.ToString().ToLowerInvariant()}", converted, labels, cancellation).ConfigureAwait(false);
            return (Digest.Parse(digest), size);
        }
    }

    private static async Task<Digest> RecompressAsync(
        Descriptor layer, Stream source, LayerCompression from, Stream target, LayerCompression to, CancellationToken cancellation)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[BufferBytes];
        try
        {
            Stream plain = Decompress(source, from);
            Stream compressed = Compress(target, to);
            for (int count; (count = await plain.ReadAsync(buffer, cancellation).ConfigureAwait(false)) > 0;)
            {
                hash.AppendData(buffer, 0, count);
                await compressed.WriteAsync(buffer.AsMemory(0, count), cancellation).ConfigureAwait(false);
            }

            // The end of the compressed form; the file behind it stays open.
            await (ReferenceEquals(compressed, target) ? target.FlushAsync(cancellation) : compressed.DisposeAsync().AsTask()).ConfigureAwait(false);
            await (ReferenceEquals(plain, source) ? Task.CompletedTask : plain.DisposeAsync().AsTask()).ConfigureAwait(false);
        }
        catch (Exception damaged) when (damaged is InvalidDataException or EndOfStreamException or ZstdException)
        {
            throw new CliFailure(layer.Digest.ToString(), $"the layer cannot be decompressed: {damaged.Message}");
        }

        return Digest.FromHash("sha256", hash.GetHashAndReset());
    }

    private static Stream Decompress(Stream source, LayerCompression compression) => compression switch
    {
        LayerCompression.Gzip => new GZipStream(source, CompressionMode.Decompress, leaveOpen: true),
        LayerCompression.Zstd => new DecompressionStream(source, leaveOpen: true),
        _ => source,
    };

    private static Stream Compress(Stream target, LayerCompression compression) => compression switch
    {
        LayerCompression.Gzip => new GZipStream(target, CompressionLevel.Optimal, leaveOpen: true),
        LayerCompression.Zstd => new CompressionStream(target, ZstdLevel, leaveOpen: true),
        _ => target,
    };

    private static FileStream Temporary() => new(
        Path.Combine(Path.GetTempPath(), $"cactl-{RandomNumberGenerator.GetHexString(16, lowercase: true)}"),
        new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Options = FileOptions.DeleteOnClose, BufferSize = BufferBytes });
}
