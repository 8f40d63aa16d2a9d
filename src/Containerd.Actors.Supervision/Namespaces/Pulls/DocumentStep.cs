// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Security.Cryptography;
using Containerd.Actors.Core.Pulls;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Oci.References;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Pulls;
using Containerd.Actors.Registry.Fetching;
using Index = Containerd.Actors.Oci.Images.Index;

namespace Containerd.Actors.Supervision.Namespaces.Pulls;

/// <summary>Stores the documents of a pull, from what the reference stands for down to configurations, and finds out what is to be fetched.</summary>
/// <remarks>
/// A document that is stored is read from there, any other from the source; either way its bytes are those of its digest before
/// anything in them is believed.
/// </remarks>
internal sealed class DocumentStep(
    UploadStep uploads, IImageSource source, PullWish wish, ImageReference reference, PullSettings settings, Action<LayerProgress> told)
{
    // An index in an index is legal; one that goes deeper than this is a trap.
    private const int DepthMax = 4;

    private readonly ConcurrentDictionary<Digest, bool> _seen = new();

    /// <summary>Stores the documents below a target.</summary>
    public async Task<ImmutableArray<PlannedImage>> PrepareAsync(Descriptor target, Caller by, CancellationToken cancellationToken) =>
        [.. await VisitAsync(new Visit(target, [], IsWanted: true, 0), by, cancellationToken).ConfigureAwait(false)];

    // One document to store: who names it, and whether more than its metadata is wanted.
    private sealed record Visit(Descriptor Descriptor, ImmutableArray<Digest> Parents, bool IsWanted, int Depth);

    private async Task<IEnumerable<PlannedImage>> VisitAsync(Visit visit, Caller by, CancellationToken cancellationToken)
    {
        if (MediaTypes.IsIndex(visit.Descriptor.MediaType))
        {
            return await IndexAsync(visit, by, cancellationToken).ConfigureAwait(false);
        }

        return MediaTypes.IsManifest(visit.Descriptor.MediaType)
            ? [await ManifestAsync(visit, by, cancellationToken).ConfigureAwait(false)]
            : [new PlannedImage([visit.Descriptor], [], [], [])];
    }

    private async Task<IEnumerable<PlannedImage>> IndexAsync(Visit visit, Caller by, CancellationToken cancellationToken)
    {
        if (visit.Depth >= DepthMax)
        {
            throw new RefusedException(Error.Invalid($"index {visit.Descriptor.Digest}: more than {DepthMax} indexes within each other"));
        }

        ReadOnlyMemory<byte> bytes = await ReadAsync(visit, by, cancellationToken).ConfigureAwait(false);
        Index index = Read(() => ImageDocuments.ReadIndex(bytes, settings.DocumentBytesMax, visit.Descriptor.MediaType));
        IReadOnlyList<Descriptor> chosen = wish.Platforms.Choose(index);
        if (chosen.Count == 0 && !wish.Platforms.Platforms.IsEmpty)
        {
            throw new RefusedException(Error.NotFound($"{reference}: no match for platform in manifest {visit.Descriptor.Digest}"));
        }

        // Every child is kept, whether this pull fetches it or not: an earlier one may have, and its image must stay whole.
        ImmutableSortedDictionary<string, string> labels = Protocol.Values.Labels.From(ContentLabels.OfChildren(index, _ => true));
        await uploads.StoreAsync(visit.Descriptor, bytes, labels, by, cancellationToken).ConfigureAwait(false);
        Tell(visit, LayerStage.Done, visit.Descriptor.Size);

        IEnumerable<Descriptor> others = wish.IncludesMetadata
            ? index.Manifests.Where(manifest => !chosen.Contains(manifest) && (MediaTypes.IsManifest(manifest.MediaType) || MediaTypes.IsIndex(manifest.MediaType)))
            : [];
        Visit[] children =
        [
            .. chosen.Select(manifest => new Visit(manifest, [visit.Descriptor.Digest], visit.IsWanted, visit.Depth + 1)),
            .. others.Select(manifest => new Visit(manifest, [visit.Descriptor.Digest], IsWanted: false, visit.Depth + 1)),
        ];
        IEnumerable<PlannedImage>[] images = new IEnumerable<PlannedImage>[children.Length];
        await Parallel.ForAsync(
            0, children.Length, new ParallelOptions { MaxDegreeOfParallelism = settings.LayersMax, CancellationToken = cancellationToken },
            async (i, token) => images[i] = await VisitAsync(children[i], by, token).ConfigureAwait(false)).ConfigureAwait(false);
        return images.SelectMany(image => image);
    }

    private async Task<PlannedImage> ManifestAsync(Visit visit, Caller by, CancellationToken cancellationToken)
    {
        ReadOnlyMemory<byte> bytes = await ReadAsync(visit, by, cancellationToken).ConfigureAwait(false);
        Manifest manifest = Read(() => ImageDocuments.ReadManifest(bytes, settings.DocumentBytesMax, visit.Descriptor.MediaType));
        Descriptor config = manifest.Config ?? throw new RefusedException(Error.Invalid($"manifest {visit.Descriptor.Digest} has no configuration"));
        await uploads.StoreAsync(visit.Descriptor, bytes, Protocol.Values.Labels.From(ContentLabels.OfChildren(manifest)), by, cancellationToken)
            .ConfigureAwait(false);
        Tell(visit, LayerStage.Done, visit.Descriptor.Size);

        Visit configuration = new(config, [visit.Descriptor.Digest], visit.IsWanted, visit.Depth + 1);
        if (!visit.IsWanted)
        {
            await ConfigurationAsync(configuration, by, cancellationToken).ConfigureAwait(false);
            return new PlannedImage([], [], [], []);
        }

        if (!MediaTypes.IsConfig(config.MediaType))
        {
            // Not the image of a container: its parts are stored, and there is nothing to unpack.
            return new PlannedImage([config, .. manifest.Layers], [], [], []) { Manifest = visit.Descriptor.Digest };
        }

        ReadOnlyMemory<byte> document = await ConfigurationAsync(configuration, by, cancellationToken).ConfigureAwait(false);
        ImageConfig image = Read(() => ImageDocuments.ReadConfig(document, settings.DocumentBytesMax));
        string[] snapshotters = [.. Snapshotters(visit.Descriptor, image).Distinct(StringComparer.Ordinal)];
        if (snapshotters.Length == 0)
        {
            return new PlannedImage([.. manifest.Layers], [], [], []) { Manifest = visit.Descriptor.Digest };
        }

        if (image.RootFs.DiffIds.Count != manifest.Layers.Count)
        {
            throw new RefusedException(Error.Invalid(
                $"mismatched image rootfs and manifest layers: {image.RootFs.DiffIds.Count} != {manifest.Layers.Count}"));
        }

        return new PlannedImage([.. manifest.Layers], [.. manifest.Layers], [.. image.RootFs.DiffIds], [.. snapshotters])
        {
            Manifest = visit.Descriptor.Digest,
            Config = config.Digest,
        };
    }

    private async Task<ReadOnlyMemory<byte>> ConfigurationAsync(Visit visit, Caller by, CancellationToken cancellationToken)
    {
        ReadOnlyMemory<byte> bytes = await ReadAsync(visit, by, cancellationToken).ConfigureAwait(false);
        await uploads.StoreAsync(visit.Descriptor, bytes, Protocol.Values.Labels.None, by, cancellationToken).ConfigureAwait(false);
        Tell(visit, LayerStage.Done, visit.Descriptor.Size);
        return bytes;
    }

    private IEnumerable<string> Snapshotters(Descriptor manifest, ImageConfig image)
    {
        Platform? platform = manifest.Platform ?? image.Platform;
        return wish.Unpacks
            .Where(unpack => unpack.Platform is null || (platform is not null && Platforms.Same(unpack.Platform, platform)))
            .Select(unpack => unpack.Snapshotter);
    }

    private async Task<ReadOnlyMemory<byte>> ReadAsync(Visit visit, Caller by, CancellationToken cancellationToken)
    {
        Descriptor document = visit.Descriptor;
        if (document.Size < 0 || document.Size > settings.DocumentBytesMax)
        {
            throw new RefusedException(new Error(
                ErrorKind.ResourceExhausted, $"document {document.Digest}: {document.Size} bytes are more than {PullSettings.Path}.document-bytes-max"));
        }

        if (await uploads.FindAsync(document, by, cancellationToken).ConfigureAwait(false) is { } stored)
        {
            Tell(visit, LayerStage.Stored, document.Size, wasThere: true);
            return stored;
        }

        Tell(visit, LayerStage.Fetching, 0);
        byte[] bytes = MediaTypes.IsIndex(document.MediaType) || MediaTypes.IsManifest(document.MediaType)
            ? await source.FetchManifestAsync(document, cancellationToken).ConfigureAwait(false)
            : await ReadBlobAsync(document, cancellationToken).ConfigureAwait(false);
        Verify(document, bytes);
        return bytes;
    }

    private async Task<byte[]> ReadBlobAsync(Descriptor descriptor, CancellationToken cancellationToken)
    {
        byte[] bytes = new byte[descriptor.Size];
        int filled = 0;
        IBlobPieces blob = await source.OpenBlobAsync(descriptor, 0, cancellationToken).ConfigureAwait(false);
        await using (blob.ConfigureAwait(false))
        {
            while (filled < bytes.Length && await blob.NextAsync(cancellationToken).ConfigureAwait(false) is { } piece)
            {
                int count = Math.Min(piece.Bytes.Length, bytes.Length - filled);
                piece.Bytes.Span[..count].CopyTo(bytes.AsSpan(filled));
                filled += count;
                piece.Dispose();
            }
        }

        return filled == bytes.Length ? bytes : throw new EndOfStreamException();
    }

    private static void Verify(Descriptor descriptor, byte[] bytes)
    {
        using IncrementalHash hash = Digest.CreateHash(descriptor.Digest.Algorithm);
        hash.AppendData(bytes);
        Digest found = Digest.FromHash(descriptor.Digest.Algorithm, hash.GetHashAndReset());
        if (found != descriptor.Digest || bytes.Length != descriptor.Size)
        {
            throw new RefusedException(Error.FailedPrecondition($"unexpected commit digest {found}, expected {descriptor.Digest}"));
        }
    }

    private void Tell(Visit visit, LayerStage stage, long offset, bool wasThere = false)
    {
        if (wasThere)
        {
            _seen[visit.Descriptor.Digest] = true;
        }

        told(new LayerProgress(visit.Descriptor, offset, stage)
        {
            Parents = visit.Parents,
            WasThere = _seen.ContainsKey(visit.Descriptor.Digest),
        });
    }

    private static T Read<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (FormatException malformed)
        {
            throw new RefusedException(Error.Invalid(malformed.Message), malformed);
        }
    }
}
