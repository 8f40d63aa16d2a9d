// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Cli.Errors;
using Containerd.Actors.Client.Connections;
using Containerd.Actors.Client.Contents;
using Containerd.Actors.Oci.Images;
using Grpc.Core;
using Index = Containerd.Actors.Oci.Images.Index;

namespace Containerd.Actors.Cli.Making;

/// <summary>What an image is made into.</summary>
/// <param name="Form">Whose media types.</param>
/// <param name="Compression">How layers are compressed; null for as they are.</param>
/// <param name="Platforms">Which images of an index; empty for those that are stored.</param>
/// <param name="AllPlatforms">True to refuse an index that is not stored whole.</param>
internal sealed record ConversionWish(MediaForm Form, LayerCompression? Compression, IReadOnlyList<Platform> Platforms, bool AllPlatforms);

/// <summary>Makes an image of another: new layers where the compression changes, new documents where anything below them does.</summary>
/// <remarks>Archives and configurations stay what they are, and with them the snapshots: a container of either image has the same files.</remarks>
/// <param name="connection">The daemon, under a lease.</param>
/// <param name="wish">What to make.</param>
/// <param name="told">Told what was converted.</param>
internal sealed class ImageConversion(ContainerdConnection connection, ConversionWish wish, Action<string> told)
{
    private readonly LayerConversion _layers = new(connection);

    /// <summary>Converts an image or index; answers what stands for the new one.</summary>
    /// <exception cref="CliFailure">A part is missing or damaged, or cannot be had in that form.</exception>
    public async Task<Descriptor> RunAsync(Descriptor target, CancellationToken cancellation)
    {
        if (MediaTypes.IsIndex(target.MediaType))
        {
            return await IndexAsync(target, cancellation).ConfigureAwait(false);
        }

        return MediaTypes.IsManifest(target.MediaType)
            ? await ManifestAsync(target, cancellation).ConfigureAwait(false)
            : throw new CliFailure(target.Digest.ToString(), $"{target.MediaType} is no image");
    }

    private async Task<Descriptor> IndexAsync(Descriptor target, CancellationToken cancellation)
    {
        byte[] bytes = await ReadAsync(target, cancellation).ConfigureAwait(false);
        Index index = ImageDocuments.ReadIndex(bytes, BlobReader.DocumentBytesMax, target.MediaType);
        var manifests = new List<Descriptor>();
        foreach (Descriptor manifest in index.Manifests.Where(IsWanted))
        {
            if (await ConvertStoredAsync(manifest, cancellation).ConfigureAwait(false) is { } converted)
            {
                manifests.Add(converted);
            }
        }

        if (manifests.Count == 0)
        {
            throw new CliFailure(target.Digest.ToString(), "no image of the index is stored for these platforms", "pull it for the platform first");
        }

        string mediaType = MediaForms.Document(target.MediaType, wish.Form);
        Index made = index with { MediaType = mediaType, Manifests = manifests };
        return await WriteAsync(target, mediaType, ImageDocuments.Write(made), ContentLabels.OfChildren(made, _ => true), cancellation).ConfigureAwait(false);
    }

    private bool IsWanted(Descriptor manifest) => wish.Platforms.Count == 0
        || (manifest.Platform is { } platform && wish.Platforms.Any(wanted => Platforms.Same(wanted, platform)));

    // An index names images that were never pulled; what is not here is left out unless it was asked for.
    private async Task<Descriptor?> ConvertStoredAsync(Descriptor manifest, CancellationToken cancellation)
    {
        bool isRequired = wish.AllPlatforms || wish.Platforms.Count > 0;
        if (!isRequired && !await IsCompleteAsync(manifest, cancellation).ConfigureAwait(false))
        {
            return null;
        }

        return await RunAsync(manifest, cancellation).ConfigureAwait(false);
    }

    private async Task<bool> IsCompleteAsync(Descriptor descriptor, CancellationToken cancellation)
    {
        try
        {
            if (!MediaTypes.IsManifest(descriptor.MediaType))
            {
                await connection.Content.InfoAsync(
                    new Services.Content.V1.InfoRequest { Digest = descriptor.Digest.ToString() }, cancellationToken: cancellation).ConfigureAwait(false);
                return true;
            }

            byte[] bytes = await ReadAsync(descriptor, cancellation).ConfigureAwait(false);
            Manifest manifest = ImageDocuments.ReadManifest(bytes, BlobReader.DocumentBytesMax, descriptor.MediaType);
            foreach (Descriptor part in manifest.Layers.Where(layer => !MediaTypes.IsForeignLayer(layer.MediaType)).Append(manifest.Config!))
            {
                if (!await IsCompleteAsync(part, cancellation).ConfigureAwait(false))
                {
                    return false;
                }
            }

            return true;
        }
        catch (RpcException missing) when (missing.StatusCode == StatusCode.NotFound)
        {
            return false;
        }
    }

    private async Task<Descriptor> ManifestAsync(Descriptor target, CancellationToken cancellation)
    {
        byte[] bytes = await ReadAsync(target, cancellation).ConfigureAwait(false);
        Manifest manifest = ImageDocuments.ReadManifest(bytes, BlobReader.DocumentBytesMax, target.MediaType);
        IReadOnlyList<Digest> diffIds = await DiffIdsAsync(manifest, cancellation).ConfigureAwait(false);
        var layers = new List<Descriptor>();
        for (int i = 0; i < manifest.Layers.Count; i++)
        {
            layers.Add(await LayerAsync(manifest.Layers[i], i < diffIds.Count ? diffIds[i] : null, cancellation).ConfigureAwait(false));
        }

        string mediaType = MediaForms.Document(target.MediaType, wish.Form);
        Descriptor config = manifest.Config! with { MediaType = MediaForms.Document(manifest.Config!.MediaType, wish.Form) };
        Manifest made = manifest with { MediaType = mediaType, Config = config, Layers = layers };
        return await WriteAsync(target, mediaType, ImageDocuments.Write(made), ContentLabels.OfChildren(made), cancellation).ConfigureAwait(false);
    }

    private async Task<IReadOnlyList<Digest>> DiffIdsAsync(Manifest manifest, CancellationToken cancellation)
    {
        if (!MediaTypes.IsConfig(manifest.Config!.MediaType))
        {
            return [];
        }

        byte[] bytes = await ReadAsync(manifest.Config, cancellation).ConfigureAwait(false);
        return ImageDocuments.ReadConfig(bytes, BlobReader.DocumentBytesMax).RootFs.DiffIds;
    }

    private async Task<Descriptor> LayerAsync(Descriptor layer, Digest? diffId, CancellationToken cancellation)
    {
        if (!MediaTypes.IsLayer(layer.MediaType) || MediaTypes.IsForeignLayer(layer.MediaType))
        {
            return layer;
        }

        LayerCompression from = await _layers.SniffAsync(layer, cancellation).ConfigureAwait(false);
        LayerCompression to = wish.Compression ?? from;
        string mediaType = MediaForms.Layer(layer.MediaType, wish.Form, to);
        if (from == to)
        {
            return layer with { MediaType = mediaType };
        }

        (Digest digest, long size) = await _layers.ConvertAsync(layer, diffId, from, to, cancellation).ConfigureAwait(false);
        told($"{Pulling.ProgressLines.ShortDigest(layer.Digest.ToString())}: {Word(from)} {Output.Sizes.Format(layer.Size)} -> {Word(to)} {Output.Sizes.Format(size)}");
        return layer with { MediaType = mediaType, Digest = digest, Size = size };
    }

    private async Task<Descriptor> WriteAsync(
        Descriptor before, string mediaType, byte[] bytes, IReadOnlyDictionary<string, string> labels, CancellationToken cancellation)
    {
        using var source = new MemoryStream(bytes);
        Descriptor made = before with { MediaType = mediaType, Digest = Digest.Of(bytes), Size = bytes.Length };
        await BlobWriter.WriteAsync(connection, ContentLabels.IngestKey(made), source, labels, cancellation).ConfigureAwait(false);
        return made;
    }

    private Task<byte[]> ReadAsync(Descriptor document, CancellationToken cancellation) =>
        BlobReader.ReadAsync(connection, document.Digest.ToString(), cancellation);

    private static string Word(LayerCompression compression) => compression.ToString().ToLowerInvariant();
}
