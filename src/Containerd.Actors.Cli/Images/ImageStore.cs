// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Cli.Errors;
using Containerd.Actors.Client.Connections;
using Containerd.Actors.Client.Contents;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Oci.References;
using Containerd.Services.Images.V1;
using Grpc.Core;

namespace Containerd.Actors.Cli.Images;

/// <summary>Looks images up in the daemon's store and reads their documents.</summary>
internal sealed class ImageStore(ContainerdConnection connection)
{
    /// <summary>What an image stands for.</summary>
    public static Descriptor TargetOf(Image image) => new(image.Target.MediaType, Digest.Parse(image.Target.Digest), image.Target.Size);

    /// <summary>A target as the daemon reads it: what it is, and nothing about where it came from.</summary>
    public static Types.Descriptor ToWire(Descriptor target) =>
        new() { MediaType = target.MediaType, Digest = target.Digest.ToString(), Size = target.Size };

    /// <summary>The image with this name, or with <c>:latest</c> behind it; null if there is none.</summary>
    public async Task<Image?> FindAsync(string name, CancellationToken cancellation)
    {
        foreach (string candidate in StoredNames.Candidates(name))
        {
            if (await FindExactlyAsync(candidate, cancellation).ConfigureAwait(false) is { } found)
            {
                return found;
            }
        }

        return null;
    }

    /// <summary>Makes a name stand for a target.</summary>
    /// <param name="name">The name.</param>
    /// <param name="target">What it will stand for.</param>
    /// <param name="labels">Labels of the image.</param>
    /// <param name="isForced">True to take a name that stands for something else.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="CliFailure">Another image has the name.</exception>
    public async Task PutAsync(
        string name, Types.Descriptor target, IEnumerable<KeyValuePair<string, string>> labels, bool isForced, CancellationToken cancellation)
    {
        Image image = new() { Name = name, Target = target };
        foreach ((string key, string value) in labels)
        {
            image.Labels[key] = value;
        }

        try
        {
            await connection.Images.CreateAsync(new CreateImageRequest { Image = image }, cancellationToken: cancellation).ConfigureAwait(false);
        }
        catch (RpcException exists) when (exists.StatusCode == StatusCode.AlreadyExists)
        {
            Image? known = await FindExactlyAsync(name, cancellation).ConfigureAwait(false);
            if (!isForced && known?.Target.Digest != target.Digest)
            {
                throw new CliFailure(name, "another image has this name", "--force takes it");
            }

            await connection.Images.UpdateAsync(new UpdateImageRequest { Image = image }, cancellationToken: cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Reads the manifest and the configuration for the first platform that the matcher takes.</summary>
    /// <exception cref="CliFailure">The image has nothing for the platform, or a document is broken.</exception>
    public async Task<ResolvedImage> ResolveAsync(Image image, PlatformMatcher platforms, CancellationToken cancellation)
    {
        try
        {
            Manifest manifest = await ReadManifestAsync(image, platforms, cancellation).ConfigureAwait(false);
            byte[] config = await ReadAsync(manifest.Config!.Digest.ToString(), cancellation).ConfigureAwait(false);
            return new ResolvedImage(image.Name, manifest, ImageDocuments.ReadConfig(config, BlobReader.DocumentBytesMax));
        }
        catch (FormatException broken)
        {
            throw new CliFailure(image.Name, broken.Message, "remove the image and pull it again");
        }
    }

    /// <summary>The platforms an image has manifests for, as text, without attestations.</summary>
    public async Task<IReadOnlyList<string>> PlatformsAsync(Image image, CancellationToken cancellation)
    {
        if (!MediaTypes.IsIndex(image.Target.MediaType))
        {
            ResolvedImage resolved = await ResolveAsync(image, PlatformMatcher.Default, cancellation).ConfigureAwait(false);
            return resolved.Config.Platform is { } platform ? [Platforms.Text(platform)] : [];
        }

        Oci.Images.Index index = ImageDocuments.ReadIndex(
            await ReadAsync(image.Target.Digest, cancellation).ConfigureAwait(false), BlobReader.DocumentBytesMax);
        return
        [
            .. index.Manifests
                .Where(manifest => manifest.Platform is { Os: not "unknown" })
                .Select(manifest => Platforms.Text(manifest.Platform!))
                .Distinct(),
        ];
    }

    private async Task<Image?> FindExactlyAsync(string name, CancellationToken cancellation)
    {
        try
        {
            GetImageResponse found = await connection.Images.GetAsync(new GetImageRequest { Name = name }, cancellationToken: cancellation).ConfigureAwait(false);
            return found.Image;
        }
        catch (RpcException missing) when (missing.StatusCode == StatusCode.NotFound)
        {
            return null;
        }
    }

    private async Task<Manifest> ReadManifestAsync(Image image, PlatformMatcher platforms, CancellationToken cancellation)
    {
        byte[] target = await ReadAsync(image.Target.Digest, cancellation).ConfigureAwait(false);
        if (!MediaTypes.IsIndex(image.Target.MediaType))
        {
            return ImageDocuments.ReadManifest(target, BlobReader.DocumentBytesMax);
        }

        Oci.Images.Index index = ImageDocuments.ReadIndex(target, BlobReader.DocumentBytesMax);
        foreach (Descriptor manifest in platforms.Choose(index))
        {
            try
            {
                byte[] bytes = await ReadAsync(manifest.Digest.ToString(), cancellation).ConfigureAwait(false);
                return ImageDocuments.ReadManifest(bytes, BlobReader.DocumentBytesMax);
            }
            catch (RpcException missing) when (missing.StatusCode == StatusCode.NotFound)
            {
                // Another platform's manifest may be all that was pulled of this index.
                continue;
            }
        }

        throw new CliFailure(image.Name, "the image has nothing for this platform", $"pull it with \"cactl pull {image.Name}\"");
    }

    private Task<byte[]> ReadAsync(string digest, CancellationToken cancellation) =>
        BlobReader.ReadAsync(connection, digest, cancellation);
}
