// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Images;
using Containerd.Actors.Core.Transfers;
using Containerd.Actors.Oci.Archives;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Transfers;
using Containerd.Actors.Storage.Diff.Tar;
using Containerd.Actors.Supervision.Namespaces.Pulls;
using Index = Containerd.Actors.Oci.Images.Index;

namespace Containerd.Actors.Supervision.Namespaces.Transfers;

/// <summary>An import: the archive is stored, what it lists is looked through and labelled, unpacked where asked, and named at last.</summary>
/// <remarks>Nothing has a name before all of it is there: an import that fails leaves only content that its lease kept.</remarks>
internal sealed class ImportWork(
    TransferCommands.Import import,
    TreeAsk tree,
    ContentAccess content,
    ImageWalk walk,
    LayerUnpacking unpacking,
    IByteStreams streams,
    PullSettings settings,
    LayerLimits limits,
    TransferProgress progress) : ITransferWork
{
    private readonly PlatformSelection _platforms = new(import.Images.Platforms, Limit: import.Images.ManifestsMax);
    private readonly HashSet<Digest> _seen = [];

    /// <inheritdoc />
    public async Task<ImmutableArray<string>> RunAsync(CancellationToken cancellationToken)
    {
        progress.Tell(new TransferStep("Importing"));
        Descriptor root;
        Stream source = streams.OpenRead(import.Namespace, import.Stream);
        await using (source.ConfigureAwait(false))
        {
            root = await new ArchiveImport(content, settings.DocumentBytesMax, limits, import.Compresses)
                .RunAsync(source, import.MediaType, cancellationToken).ConfigureAwait(false);
        }

        Index index = await walk.IndexAsync(root, cancellationToken).ConfigureAwait(false);
        var manifests = new List<Descriptor>();
        await LabelAsync(root, isWanted: true, manifests, cancellationToken).ConfigureAwait(false);
        if (manifests.Count == 0)
        {
            throw new RefusedException(Error.NotFound("image might be filtered out"));
        }

        foreach (Descriptor manifest in manifests)
        {
            await UnpackAsync(manifest, cancellationToken).ConfigureAwait(false);
        }

        var named = ImmutableArray.CreateBuilder<string>();
        await NameAsync(root, import.Images.Rules.OfIndex(import.Images.Name, root.Digest), named).ConfigureAwait(false);
        foreach (Descriptor entry in index.Manifests)
        {
            await NameAsync(entry, import.Images.Rules.OfEntry(entry), named).ConfigureAwait(false);
        }

        progress.Tell(new TransferStep("Completed import"));
        return named.ToImmutable();
    }

    // Each document gets the labels by which garbage collection finds what it names. Those of wanted images must be there; of the others
    // an archive of one platform has none.
    private async Task LabelAsync(Descriptor document, bool isWanted, List<Descriptor> manifests, CancellationToken cancellationToken, int depth = 0)
    {
        const int depthMax = 8;
        if (!_seen.Add(document.Digest) || (!isWanted && !await IsStoredAsync(document, cancellationToken).ConfigureAwait(false)))
        {
            return;
        }

        if (depth > depthMax)
        {
            throw new RefusedException(Error.Invalid($"index {document.Digest}: more than {depthMax} documents within each other"));
        }

        if (MediaTypes.IsIndex(document.MediaType))
        {
            Index index = await walk.IndexAsync(document, cancellationToken).ConfigureAwait(false);
            await content.LabelAsync(document.Digest, ContentLabels.OfChildren(index, _ => true), cancellationToken).ConfigureAwait(false);
            HashSet<Descriptor> wanted = isWanted ? [.. _platforms.Choose(index)] : [];
            foreach (Descriptor child in index.Manifests.OrderByDescending(wanted.Contains))
            {
                await LabelAsync(child, wanted.Contains(child), manifests, cancellationToken, depth + 1).ConfigureAwait(false);
            }
        }
        else if (MediaTypes.IsManifest(document.MediaType))
        {
            Manifest manifest = await walk.ManifestAsync(document, cancellationToken).ConfigureAwait(false);
            await content.LabelAsync(document.Digest, ContentLabels.OfChildren(manifest), cancellationToken).ConfigureAwait(false);
            if (isWanted)
            {
                manifests.Add(document);
            }
        }
    }

    private async Task<bool> IsStoredAsync(Descriptor document, CancellationToken cancellationToken) =>
        (await content.StateAsync(cancellationToken).ConfigureAwait(false)).Content.ContainsKey(document.Digest);

    private async Task UnpackAsync(Descriptor document, CancellationToken cancellationToken)
    {
        if (import.Images.Unpacks.IsEmpty)
        {
            return;
        }

        Manifest manifest = await walk.ManifestAsync(document, cancellationToken).ConfigureAwait(false);
        if (manifest.Config is not { } config || !MediaTypes.IsConfig(config.MediaType))
        {
            return;
        }

        ImageConfig image = await walk.ConfigAsync(config, cancellationToken).ConfigureAwait(false);
        foreach (UnpackWish unpack in import.Images.Unpacks)
        {
            if ((document.Platform ?? image.Platform) is { } platform && Platforms.Same(unpack.Platform, platform))
            {
                await unpacking.RunAsync(manifest, config, image, unpack.Snapshotter, progress, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async Task NameAsync(Descriptor target, ImmutableArray<string> names, ImmutableArray<string>.Builder named)
    {
        foreach (string name in names)
        {
            await PutAsync(name, target).ConfigureAwait(false);
            named.Add($"{name}@{target.Digest}");
            progress.Tell(new TransferStep("saved", name) { Content = target });
        }
    }

    private async Task PutAsync(string name, Descriptor target)
    {
        while (true)
        {
            try
            {
                await tree.FinishAsync(new ImageCommands.Create(import.Namespace, name, target, import.Images.Labels, null, import.By)).ConfigureAwait(false);
                return;
            }
            catch (RefusedException refused) when (refused.Error.Kind == ErrorKind.AlreadyExists)
            {
                // It is changed instead.
            }

            try
            {
                await tree.FinishAsync(new ImageCommands.Update(import.Namespace, name, target, import.Images.Labels, [], null, import.By)).ConfigureAwait(false);
                return;
            }
            catch (RefusedException refused) when (refused.Error.Kind == ErrorKind.NotFound)
            {
                // Removed between the two: then it can be made.
            }
        }
    }
}
