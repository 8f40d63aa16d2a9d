// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Errors;
using Index = Containerd.Actors.Oci.Images.Index;

namespace Containerd.Actors.Supervision.Namespaces.Transfers;

/// <summary>What an image consists of, as far as its documents are stored.</summary>
internal sealed class ImageWalk(ContentAccess content, int documentBytesMax)
{
    // Documents name each other by digest, so that there is no way around in a circle; but a chain may be long.
    private const int DepthMax = 8;

    /// <summary>Reads an index.</summary>
    public async Task<Index> IndexAsync(Descriptor index, CancellationToken cancellationToken)
    {
        byte[] bytes = await content.ReadAsync(index.Digest, cancellationToken).ConfigureAwait(false);
        return Read(() => ImageDocuments.ReadIndex(bytes, documentBytesMax, index.MediaType));
    }

    /// <summary>Reads a manifest.</summary>
    public async Task<Manifest> ManifestAsync(Descriptor manifest, CancellationToken cancellationToken)
    {
        byte[] bytes = await content.ReadAsync(manifest.Digest, cancellationToken).ConfigureAwait(false);
        return Read(() => ImageDocuments.ReadManifest(bytes, documentBytesMax, manifest.MediaType));
    }

    /// <summary>Reads a configuration.</summary>
    public async Task<ImageConfig> ConfigAsync(Descriptor config, CancellationToken cancellationToken)
    {
        byte[] bytes = await content.ReadAsync(config.Digest, cancellationToken).ConfigureAwait(false);
        return Read(() => ImageDocuments.ReadConfig(bytes, documentBytesMax));
    }

    /// <summary>Everything below a target and the target itself, each once, what is named before what names it.</summary>
    /// <param name="target">An index, a manifest, or anything else.</param>
    /// <param name="platforms">Which entries of indexes.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="RefusedException">A document is not stored, or is malformed.</exception>
    public async Task<IReadOnlyList<ImagePart>> PartsAsync(Descriptor target, PlatformSelection platforms, CancellationToken cancellationToken)
    {
        var parts = new List<ImagePart>();
        var seen = new HashSet<Digest>();
        await VisitAsync(target, [], 0).ConfigureAwait(false);
        return parts;

        async Task VisitAsync(Descriptor at, IReadOnlyList<Descriptor> parents, int depth)
        {
            if (!seen.Add(at.Digest))
            {
                return;
            }

            if (depth > DepthMax)
            {
                throw new RefusedException(Error.Invalid($"index {at.Digest}: more than {DepthMax} documents within each other"));
            }

            IReadOnlyList<Descriptor> children = await ChildrenAsync(at, platforms, cancellationToken).ConfigureAwait(false);
            foreach (Descriptor child in children)
            {
                await VisitAsync(child, [at], depth + 1).ConfigureAwait(false);
            }

            parts.Add(new ImagePart(at, parents, children));
        }
    }

    /// <summary>What a document names; nothing for other content.</summary>
    public async Task<IReadOnlyList<Descriptor>> ChildrenAsync(Descriptor parent, PlatformSelection platforms, CancellationToken cancellationToken)
    {
        if (MediaTypes.IsIndex(parent.MediaType))
        {
            return platforms.Choose(await IndexAsync(parent, cancellationToken).ConfigureAwait(false));
        }

        if (!MediaTypes.IsManifest(parent.MediaType))
        {
            return [];
        }

        Manifest manifest = await ManifestAsync(parent, cancellationToken).ConfigureAwait(false);
        return [.. manifest.Config is null ? [] : new[] { manifest.Config }, .. manifest.Layers];
    }

    /// <summary>Turns what a document is not into a refusal.</summary>
    public static T Read<T>(Func<T> read)
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

/// <summary>One part of an image.</summary>
/// <param name="Content">What it is.</param>
/// <param name="Parents">The document that names it; none for the target.</param>
/// <param name="Children">What it names.</param>
internal sealed record ImagePart(Descriptor Content, IReadOnlyList<Descriptor> Parents, IReadOnlyList<Descriptor> Children)
{
    /// <summary>True for a manifest or an index.</summary>
    public bool IsDocument => MediaTypes.IsManifest(Content.MediaType) || MediaTypes.IsIndex(Content.MediaType);
}
