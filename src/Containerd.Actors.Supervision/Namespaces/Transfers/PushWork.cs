// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Content;
using Containerd.Actors.Core.Images;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Oci.References;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Transfers;
using Containerd.Actors.Registry.Authentication;
using Containerd.Actors.Registry.Pushing;
using Containerd.Actors.Supervision.Namespaces.Pulls;
using Index = Containerd.Actors.Oci.Images.Index;

namespace Containerd.Actors.Supervision.Namespaces.Transfers;

/// <summary>A push: blobs side by side, then documents, what is named before what names it, and the tag at last.</summary>
/// <remarks>A registry refuses a document whose parts it does not have; that order also means that a tag never stands for half an image.</remarks>
internal sealed class PushWork(
    TransferCommands.Push push,
    TreeAsk tree,
    ContentAccess content,
    ImageWalk walk,
    ImageSinks sinks,
    ICredentialStore? asked,
    int uploadsMax,
    TransferProgress progress) : ITransferWork
{
    /// <inheritdoc />
    public async Task<ImmutableArray<string>> RunAsync(CancellationToken cancellationToken)
    {
        ImageReference reference = Parse(push.Reference);
        NamespaceState state = await content.StateAsync(cancellationToken).ConfigureAwait(false);
        ImageRecord image = state.Image(push.Image).Value;
        string place = $"OCI Registry ({push.Reference})";
        progress.Tell(new TransferStep($"Pushing to {place}"));
        progress.Tell(new TransferStep("pushing content", image.Name) { Content = image.Target });

        var platforms = new PlatformSelection(push.Platforms);
        Descriptor target = await TargetAsync(image.Target, platforms, cancellationToken).ConfigureAwait(false);
        IReadOnlyList<ImagePart> parts = await walk.PartsAsync(target, platforms, cancellationToken).ConfigureAwait(false);
        ImagePart[] blobs = [.. parts.Where(part => !part.IsDocument && (!MediaTypes.IsForeignLayer(part.Content.MediaType) || state.Content.ContainsKey(part.Content.Digest)))];
        foreach (ImagePart part in parts.Reverse())
        {
            Tell(image, part, "waiting", 0);
        }

        using IImageSink sink = sinks(reference, push.Source, asked);
        await Parallel.ForEachAsync(
            blobs, new ParallelOptions { MaxDegreeOfParallelism = uploadsMax, CancellationToken = cancellationToken },
            async (blob, token) => await BlobAsync(sink, state, reference, image, blob, token).ConfigureAwait(false)).ConfigureAwait(false);
        foreach (ImagePart document in parts.Where(part => part.IsDocument))
        {
            Tell(image, document, "uploading", 0);
            byte[] bytes = await content.ReadAsync(document.Content.Digest, cancellationToken).ConfigureAwait(false);
            PushOutcome outcome = await sink.PushManifestAsync(
                document.Content, bytes, document.Content.Digest == target.Digest, cancellationToken).ConfigureAwait(false);
            await DoneAsync(reference, image, document, outcome).ConfigureAwait(false);
        }

        progress.Tell(new TransferStep("pushed content", image.Name) { Content = target });
        progress.Tell(new TransferStep($"Completed push to {place}") { Content = target });
        return [$"{push.Image}@{target.Digest}"];
    }

    // One platform of an index is pushed as the image that it is; an index without some of its images would be another one.
    private async Task<Descriptor> TargetAsync(Descriptor target, PlatformSelection platforms, CancellationToken cancellationToken)
    {
        if (platforms.Platforms.IsEmpty || !MediaTypes.IsIndex(target.MediaType))
        {
            return target;
        }

        Index index = await walk.IndexAsync(target, cancellationToken).ConfigureAwait(false);
        IReadOnlyList<Descriptor> chosen = platforms.Choose(index);
        return chosen.Count switch
        {
            0 => throw new RefusedException(Error.NotFound($"{push.Image}: no match for platform in manifest {target.Digest}")),
            1 => new Descriptor(chosen[0].MediaType, chosen[0].Digest, chosen[0].Size),
            int count when count == index.Manifests.Count => target,
            int count => throw new RefusedException(Error.Invalid(
                $"{push.Image}: {count} of {index.Manifests.Count} manifests match the platforms: push one platform, or all")),
        };
    }

    private async Task BlobAsync(
        IImageSink sink, NamespaceState state, ImageReference reference, ImageRecord image, ImagePart blob, CancellationToken cancellationToken)
    {
        ContentRecord stored = state.Content(blob.Content.Digest).Value;
        string? from = MountCandidate.Of(reference, stored.Labels);
        Tell(image, blob, "uploading", 0);
        PushOutcome outcome = await sink.PushBlobAsync(
            blob.Content,
            from,
            offset => content.OpenRead(blob.Content.Digest, offset),
            sent => progress.TellOffset(Step(image, blob, "uploading", sent)),
            cancellationToken).ConfigureAwait(false);
        await DoneAsync(reference, image, blob, outcome).ConfigureAwait(false);
    }

    // The next push to this registry can mount the blob from here.
    private async Task DoneAsync(ImageReference reference, ImageRecord image, ImagePart part, PushOutcome outcome)
    {
        await tree.TryAsync(new ContentCommands.AddSource(push.Namespace, part.Content.Digest, reference.Host, reference.Repository, push.By))
            .ConfigureAwait(false);
        Tell(image, part, outcome == PushOutcome.Existed ? "already exists" : "complete", part.Content.Size);
    }

    private void Tell(ImageRecord image, ImagePart part, string word, long offset) => progress.Tell(Step(image, part, word, offset));

    private static TransferStep Step(ImageRecord image, ImagePart part, string word, long offset) => new(word, ContentLabels.IngestKey(part.Content))
    {
        Parents = part.Parents.Count == 0 ? [image.Name] : [.. part.Parents.Select(ContentLabels.IngestKey)],
        Offset = offset,
        Total = part.Content.Size,
        Content = part.Content,
    };

    private static ImageReference Parse(string text) => ImageWalk.Read(() => ImageReference.Parse(text));
}
