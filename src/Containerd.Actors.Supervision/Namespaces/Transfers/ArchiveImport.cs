// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.IO.Compression;
using Containerd.Actors.Core.Content;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Oci.Archives;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Oci.References;
using Containerd.Actors.Protocol.Content;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Storage.Archives;
using Containerd.Actors.Storage.Diff;
using Containerd.Actors.Storage.Diff.Tar;
using Index = Containerd.Actors.Oci.Images.Index;
using LayerCompression = Containerd.Actors.Storage.Diff.LayerCompression;

namespace Containerd.Actors.Supervision.Namespaces.Transfers;

/// <summary>Reads an image archive into the content of a namespace and makes it one index.</summary>
/// <remarks>
/// Every file becomes content under the digest of its bytes, so that a file can claim nothing: what an OCI layout calls a digest must be
/// one, and what a docker archive calls a layer is found by its path in the archive only.
/// </remarks>
internal sealed class ArchiveImport(ContentAccess content, int documentBytesMax, LayerLimits limits, bool compresses)
{
    private readonly Dictionary<string, CommittedContent> _files = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _links = new(StringComparer.Ordinal);
    private byte[]? _layout;
    private byte[]? _docker;

    /// <summary>Stores everything in the archive; answers the index that lists its images.</summary>
    /// <param name="source">The archive.</param>
    /// <param name="mediaType">Empty to find out whether it is compressed.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="RefusedException">It is no image archive, or a damaged or hostile one.</exception>
    public async Task<Descriptor> RunAsync(Stream source, string mediaType, CancellationToken cancellationToken)
    {
        ArchiveReader archive = await ArchiveReader.OpenAsync(source, mediaType.Length == 0, limits, cancellationToken).ConfigureAwait(false);
        await using (archive.ConfigureAwait(false))
        {
            while (await archive.NextAsync(cancellationToken).ConfigureAwait(false) is { } entry)
            {
                await TakeAsync(archive, entry, cancellationToken).ConfigureAwait(false);
            }
        }

        if (_layout is not null)
        {
            return Layout(_layout);
        }

        if (_docker is null)
        {
            throw new RefusedException(Error.Invalid("unrecognized image format"));
        }

        IReadOnlyList<ArchivedImage> images = ImageWalk.Read(() => ImageArchive.ReadImages(_docker));
        ResolveLinks();
        var entries = new List<Descriptor>();
        foreach (ArchivedImage image in images)
        {
            entries.AddRange(await ImageAsync(image, cancellationToken).ConfigureAwait(false));
        }

        var index = new Index { MediaType = MediaTypes.OciIndex, Manifests = entries };
        return await StoreAsync(MediaTypes.OciIndex, ImageDocuments.Write(index), ContentLabels.OfChildren(index, _ => true), cancellationToken)
            .ConfigureAwait(false);
    }

    private async Task TakeAsync(ArchiveReader archive, TarEntry entry, CancellationToken cancellationToken)
    {
        if (entry.Kind is not (TarKind.Regular or TarKind.SymbolicLink))
        {
            return;
        }

        string path = ImageArchive.Clean(entry.Name)
            ?? throw new RefusedException(Error.Invalid($"invalid tar archive: \"{entry.Name}\" leads out of the archive"));
        if (entry.Kind == TarKind.SymbolicLink)
        {
            // Docker links a layer that occurs twice. The link is followed by name in the archive, and nowhere else.
            string directory = path.Contains('/', StringComparison.Ordinal) ? path[..path.LastIndexOf('/')] : "";
            _links[path] = ImageArchive.Clean($"{directory}/{entry.LinkName}".TrimStart('/'))
                ?? throw new RefusedException(Error.Invalid($"invalid tar archive: link \"{entry.Name}\" leads out of the archive"));
            return;
        }

        switch (path)
        {
            case ImageArchive.LayoutFile:
                _layout = Once(_layout, path, await archive.ReadAllAsync(entry, documentBytesMax, cancellationToken).ConfigureAwait(false));
                break;
            case ImageArchive.DockerFile:
                _docker = Once(_docker, path, await archive.ReadAllAsync(entry, documentBytesMax, cancellationToken).ConfigureAwait(false));
                break;
            default:
                await StoreAsync(archive, entry, path, cancellationToken).ConfigureAwait(false);
                break;
        }
    }

    private async Task StoreAsync(ArchiveReader archive, TarEntry entry, string path, CancellationToken cancellationToken)
    {
        try
        {
            CommittedContent stored = await content.StoreAsync(
                $"tar-{path}", entry.Size, ImageArchive.DigestOf(path), Protocol.Values.Labels.None, archive.ReadAsync, cancellationToken).ConfigureAwait(false);
            if (!_files.TryAdd(path, stored) && _files[path] != stored)
            {
                throw new RefusedException(Error.Invalid("it occurs twice with different content"));
            }
        }
        catch (RefusedException refused)
        {
            throw new RefusedException(refused.Error.While($"failed to ingest \"{entry.Name}\""), refused);
        }
    }

    private Descriptor Layout(byte[] layout)
    {
        ImageWalk.Read(() =>
        {
            ImageArchive.CheckLayout(layout);
            return true;
        });
        return _files.TryGetValue(ImageArchive.IndexFile, out CommittedContent? index)
            ? new Descriptor(MediaTypes.OciIndex, index.Digest, index.Size)
            : throw new RefusedException(Error.Invalid($"missing index.json in OCI layout {ImageArchive.LayoutVersion}"));
    }

    private void ResolveLinks()
    {
        foreach ((string path, string target) in _links)
        {
            _files[path] = _files.GetValueOrDefault(target)
                ?? throw new RefusedException(Error.Invalid($"no target for symlink layer from \"{path}\" to \"{target}\""));
        }
    }

    private async Task<IReadOnlyList<Descriptor>> ImageAsync(ArchivedImage image, CancellationToken cancellationToken)
    {
        CommittedContent found = Find(image.Config) ?? throw new RefusedException(Error.Invalid($"image config \"{image.Config}\" not found"));
        var config = new Descriptor(MediaTypes.DockerConfig, found.Digest, found.Size);
        var layers = new List<Descriptor>();
        foreach (string layer in image.Layers)
        {
            layers.Add(await LayerAsync(layer, cancellationToken).ConfigureAwait(false));
        }

        var manifest = new Manifest { MediaType = MediaTypes.DockerManifest, Config = config, Layers = layers };
        Descriptor target = await StoreAsync(MediaTypes.DockerManifest, ImageDocuments.Write(manifest), ContentLabels.OfChildren(manifest), cancellationToken)
            .ConfigureAwait(false);
        byte[] bytes = await content.ReadAsync(config.Digest, cancellationToken).ConfigureAwait(false);
        target = target with { Platform = ImageWalk.Read(() => ImageDocuments.ReadConfig(bytes, documentBytesMax)).Platform };
        return image.RepoTags.Count == 0
            ? [target]
            : [.. image.RepoTags.Select(tag => ArchiveNames.Named(target, Normalise(tag)))];
    }

    private async Task<Descriptor> LayerAsync(string path, CancellationToken cancellationToken)
    {
        CommittedContent layer = Find(path)
            ?? throw new RefusedException(Error.Invalid($"failed to resolve layers: layer \"{path}\" not found"));

        // The same layer may be here in a compressed form, as it was pulled: then nothing has to be kept twice.
        NamespaceState state = await content.StateAsync(cancellationToken).ConfigureAwait(false);
        ContentRecord? pulled = state.Content.Values.FirstOrDefault(
            known => known.Digest != layer.Digest && known.Labels.GetValueOrDefault(ContentLabels.Uncompressed) == layer.Digest.ToString());
        if (pulled is not null)
        {
            await content.LabelAsync(pulled.Digest, Protocol.Values.Labels.None, cancellationToken).ConfigureAwait(false);
            layer = new CommittedContent(pulled.Digest, pulled.Size);
        }

        LayerCompression compression = await SniffAsync(layer.Digest, cancellationToken).ConfigureAwait(false);
        return compression switch
        {
            LayerCompression.Gzip => new Descriptor(MediaTypes.DockerLayerGzip, layer.Digest, layer.Size),
            LayerCompression.Zstandard => new Descriptor(MediaTypes.DockerLayerZstd, layer.Digest, layer.Size),
            _ when compresses => await CompressAsync(layer.Digest, cancellationToken).ConfigureAwait(false),
            _ => new Descriptor(MediaTypes.DockerLayer, layer.Digest, layer.Size),
        };
    }

    private async Task<LayerCompression> SniffAsync(Digest digest, CancellationToken cancellationToken)
    {
        var start = new byte[4];
        Stream blob = content.OpenRead(digest);
        await using (blob.ConfigureAwait(false))
        {
            int count = await blob.ReadAtLeastAsync(start, start.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
            return LayerCompressions.Sniff(start.AsSpan(0, count));
        }
    }

    private async Task<Descriptor> CompressAsync(Digest plain, CancellationToken cancellationToken)
    {
        Stream blob = content.OpenRead(plain);
        await using (blob.ConfigureAwait(false))
        {
            var compressed = new CompressedBytes(blob);
            await using (compressed.ConfigureAwait(false))
            {
                CommittedContent stored = await content.StoreAsync(
                    $"compress-blob-{plain.Algorithm}-{plain.Hex}",
                    0,
                    null,
                    Protocol.Values.Labels.None.Add(ContentLabels.Uncompressed, plain.ToString()),
                    compressed.ReadAsync,
                    cancellationToken).ConfigureAwait(false);
                return new Descriptor(MediaTypes.DockerLayerGzip, stored.Digest, stored.Size);
            }
        }
    }

    private CommittedContent? Find(string path) => ImageArchive.Clean(path) is { } clean ? _files.GetValueOrDefault(clean) : null;

    private static byte[] Once(byte[]? before, string path, byte[] bytes) =>
        before is null ? bytes : throw new RefusedException(Error.Invalid($"invalid tar archive: \"{path}\" occurs twice"));

    private static string Normalise(string tag)
    {
        try
        {
            return ImageReference.Normalise(tag).ToString();
        }
        catch (FormatException malformed)
        {
            throw new RefusedException(Error.Invalid(string.Create(CultureInfo.InvariantCulture, $"normalize image ref \"{tag}\": {malformed.Message}")), malformed);
        }
    }

    private async Task<Descriptor> StoreAsync(
        string mediaType, byte[] bytes, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        var document = new Descriptor(mediaType, Digest.Of(bytes), bytes.Length);
        await content.StoreAsync(document, bytes, labels, cancellationToken).ConfigureAwait(false);
        return document;
    }

    // Compresses as much of the source as a reader wants.
    private sealed class CompressedBytes : IAsyncDisposable
    {
        private const int PieceBytes = 256 * 1024;

        private readonly Stream _source;
        private readonly MemoryStream _ready = new();
        private readonly GZipStream _gzip;
        private readonly byte[] _piece = new byte[PieceBytes];
        private int _taken;
        private bool _hasEnded;

        public CompressedBytes(Stream source)
        {
            _source = source;
            _gzip = new GZipStream(_ready, CompressionLevel.Optimal, leaveOpen: true);
        }

        public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
        {
            while (_taken == _ready.Length && !_hasEnded)
            {
                _ready.SetLength(0);
                _taken = 0;
                int count = await _source.ReadAsync(_piece, cancellationToken).ConfigureAwait(false);
                if (count > 0)
                {
                    _gzip.Write(_piece, 0, count);
                }
                else
                {
                    _gzip.Dispose();
                    _hasEnded = true;
                }
            }

            int ready = Math.Min(buffer.Length, (int)_ready.Length - _taken);
            _ready.GetBuffer().AsMemory(_taken, ready).CopyTo(buffer);
            _taken += ready;
            return ready;
        }

        public ValueTask DisposeAsync() => _gzip.DisposeAsync();
    }
}
