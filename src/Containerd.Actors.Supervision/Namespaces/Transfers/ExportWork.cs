// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Content;
using Containerd.Actors.Core.Images;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Core.Transfers;
using Containerd.Actors.Oci.Archives;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Transfers;
using Containerd.Actors.Storage.Archives;
using Index = Containerd.Actors.Oci.Images.Index;

namespace Containerd.Actors.Supervision.Namespaces.Transfers;

/// <summary>An export: what goes into the archive is found out whole before its first byte is written.</summary>
/// <remarks>The same images make the same bytes: entries are sorted and have no times.</remarks>
internal sealed class ExportWork(
    TransferCommands.Export export, ContentAccess content, ImageWalk walk, IByteStreams streams, TransferProgress progress) : ITransferWork
{
    private const int CopyBytes = 256 * 1024;

    // 0444 and 0644.
    private const uint FixedMode = 0x124;
    private const uint FileMode = 0x1A4;

    private readonly SortedDictionary<string, Descriptor> _blobs = new(StringComparer.Ordinal);

    // For docker: one manifest for each image, in the order in which they were asked for, with the names that it goes by.
    private readonly List<(Descriptor Manifest, List<string> Names)> _dockers = [];

    /// <inheritdoc />
    public async Task<ImmutableArray<string>> RunAsync(CancellationToken cancellationToken)
    {
        progress.Tell(new TransferStep("Exporting"));
        NamespaceState state = await content.StateAsync(cancellationToken).ConfigureAwait(false);
        Descriptor[] targets = [.. export.Images.Select(name => Target(state, name))];
        foreach (Descriptor target in targets)
        {
            await AddAsync(target, cancellationToken).ConfigureAwait(false);
        }

        if (_blobs.Values.FirstOrDefault(blob => !state.Content.ContainsKey(blob.Digest)) is { } missing)
        {
            throw new RefusedException(Error.NotFound($"content digest {missing.Digest}"));
        }

        byte[] index = ImageDocuments.Write(new Index { Manifests = targets });
        byte[]? docker = export.Form.SkipsDockerManifest || _dockers.Count == 0 ? null : await DockerAsync(cancellationToken).ConfigureAwait(false);
        Stream target0 = streams.OpenWrite(export.Namespace, export.Stream);
        await using (target0.ConfigureAwait(false))
        {
            await WriteAsync(new ArchiveWriter(target0), index, docker, cancellationToken).ConfigureAwait(false);
        }

        progress.Tell(new TransferStep("Completed export"));
        return [.. export.Images.Zip(targets, (name, target) => $"{name}@{target.Digest}")];
    }

    // The entry tells the name and where the image came from, as a registry's client would know it.
    private static Descriptor Target(NamespaceState state, string name)
    {
        ImageRecord image = state.Image(name).Value;
        ContentRecord stored = state.Content(image.Target.Digest).Value;
        Descriptor named = ArchiveNames.Named(image.Target, name);
        return named with
        {
            Annotations = named.Annotations!.SetItems(
                stored.Labels.Where(label => label.Key.StartsWith(ContentLabels.DistributionSource, StringComparison.Ordinal))),
        };
    }

    private async Task AddAsync(Descriptor target, CancellationToken cancellationToken)
    {
        string name = target.Annotations![ArchiveNames.ImageName];
        if (MediaTypes.IsManifest(target.MediaType))
        {
            await AddPartsAsync(target, cancellationToken).ConfigureAwait(false);
            AddDocker(target, name);
        }
        else if (MediaTypes.IsIndex(target.MediaType))
        {
            await AddIndexAsync(target, name, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            throw new RefusedException(Error.Invalid("only manifests may be exported"));
        }
    }

    private async Task AddIndexAsync(Descriptor target, string name, CancellationToken cancellationToken)
    {
        AddBlob(target);
        PlatformSelection wanted = new(export.Form.Platforms.IsEmpty ? [Platforms.Host] : export.Form.Platforms);
        Index index = await walk.IndexAsync(target, cancellationToken).ConfigureAwait(false);
        Descriptor[] matching = [.. index.Manifests.Where(manifest => wanted.Wants(manifest.Platform))];
        if (matching.Length == 0)
        {
            throw new RefusedException(Error.NotFound("no manifest found for platform"));
        }

        foreach (Descriptor manifest in export.Form.AllPlatforms ? index.Manifests : matching)
        {
            await AddPartsAsync(manifest, cancellationToken).ConfigureAwait(false);
        }

        // Docker knows one image by a name: that of the platform that was named first.
        Descriptor best = (wanted with { Limit = 1 }).Choose(index)[0];
        if (MediaTypes.IsManifest(best.MediaType))
        {
            AddDocker(best, name);
        }
    }

    private async Task AddPartsAsync(Descriptor target, CancellationToken cancellationToken)
    {
        foreach (ImagePart part in await walk.PartsAsync(target, PlatformSelection.All, cancellationToken).ConfigureAwait(false))
        {
            AddBlob(part.Content);
        }
    }

    private void AddBlob(Descriptor blob)
    {
        if (!export.Form.SkipsForeignLayers || !MediaTypes.IsForeignLayer(blob.MediaType))
        {
            _blobs.TryAdd(ImageArchive.BlobPath(blob.Digest), blob);
        }
    }

    private void AddDocker(Descriptor manifest, string name)
    {
        int at = _dockers.FindIndex(docker => docker.Manifest.Digest == manifest.Digest);
        if (at < 0)
        {
            _dockers.Add((manifest, [name]));
        }
        else
        {
            _dockers[at].Names.Add(name);
        }
    }

    private async Task<byte[]> DockerAsync(CancellationToken cancellationToken)
    {
        var images = new List<ArchivedImage>();
        foreach ((Descriptor document, List<string> names) in _dockers)
        {
            Manifest manifest = await walk.ManifestAsync(document, cancellationToken).ConfigureAwait(false);
            images.Add(new ArchivedImage
            {
                Config = ImageArchive.BlobPath(manifest.Config!.Digest),
                RepoTags = [.. names.Select(ArchiveNames.Familiar).OfType<string>()],
                Layers = [.. manifest.Layers.Select(layer => ImageArchive.BlobPath(layer.Digest))],
            });
        }

        return ImageArchive.Write(images);
    }

    private async Task WriteAsync(ArchiveWriter archive, byte[] index, byte[]? docker, CancellationToken cancellationToken)
    {
        byte[] buffer = GC.AllocateUninitializedArray<byte>(CopyBytes);
        await archive.DirectoryAsync(ImageArchive.BlobsDirectory, cancellationToken).ConfigureAwait(false);
        string algorithm = "";
        foreach (Descriptor blob in _blobs.Values)
        {
            if (blob.Digest.Algorithm != algorithm)
            {
                algorithm = blob.Digest.Algorithm;
                await archive.DirectoryAsync($"{ImageArchive.BlobsDirectory}{algorithm}/", cancellationToken).ConfigureAwait(false);
            }

            Stream stored = content.OpenRead(blob.Digest);
            await using (stored.ConfigureAwait(false))
            {
                await archive.BlobAsync(blob, stored, buffer, cancellationToken).ConfigureAwait(false);
            }
        }

        await archive.FileAsync(ImageArchive.IndexFile, FileMode, index, cancellationToken).ConfigureAwait(false);
        if (docker is not null)
        {
            await archive.FileAsync(ImageArchive.DockerFile, FileMode, docker, cancellationToken).ConfigureAwait(false);
        }

        await archive.FileAsync(ImageArchive.LayoutFile, FixedMode, ImageArchive.WriteLayout(), cancellationToken).ConfigureAwait(false);
        await archive.FinishAsync(cancellationToken).ConfigureAwait(false);
    }
}
