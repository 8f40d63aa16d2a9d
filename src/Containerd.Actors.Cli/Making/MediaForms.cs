// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Cli.Errors;
using Containerd.Actors.Oci.Images;

namespace Containerd.Actors.Cli.Making;

/// <summary>Whose media types an image has.</summary>
internal enum MediaForm
{
    /// <summary>As they are.</summary>
    Same,

    /// <summary>OCI's.</summary>
    Oci,

    /// <summary>Docker's.</summary>
    Docker,
}

/// <summary>Translates media types between OCI's and docker's words. What is neither stays as it is.</summary>
internal static class MediaForms
{
    /// <summary>The type of a document in this form.</summary>
    public static string Document(string mediaType, MediaForm form) => (mediaType, form) switch
    {
        (MediaTypes.OciIndex or MediaTypes.DockerManifestList, MediaForm.Oci) => MediaTypes.OciIndex,
        (MediaTypes.OciIndex or MediaTypes.DockerManifestList, MediaForm.Docker) => MediaTypes.DockerManifestList,
        (MediaTypes.OciManifest or MediaTypes.DockerManifest, MediaForm.Oci) => MediaTypes.OciManifest,
        (MediaTypes.OciManifest or MediaTypes.DockerManifest, MediaForm.Docker) => MediaTypes.DockerManifest,
        (MediaTypes.OciConfig or MediaTypes.DockerConfig, MediaForm.Oci) => MediaTypes.OciConfig,
        (MediaTypes.OciConfig or MediaTypes.DockerConfig, MediaForm.Docker) => MediaTypes.DockerConfig,
        _ => mediaType,
    };

    /// <summary>The type of a layer in this form with this compression; foreign layers and what is no layer stay as they are.</summary>
    /// <exception cref="CliFailure">Docker has no type for it.</exception>
    public static string Layer(string mediaType, MediaForm form, LayerCompression compression)
    {
        if (!MediaTypes.IsLayer(mediaType) || MediaTypes.IsForeignLayer(mediaType))
        {
            return mediaType;
        }

        bool isDocker = form == MediaForm.Docker || (form == MediaForm.Same && mediaType.StartsWith(MediaTypes.DockerLayer, StringComparison.Ordinal));
        return (isDocker, compression) switch
        {
            (false, LayerCompression.None) => MediaTypes.OciLayer,
            (false, LayerCompression.Gzip) => MediaTypes.OciLayerGzip,
            (false, _) => MediaTypes.OciLayerZstd,
            (true, LayerCompression.None) => MediaTypes.DockerLayer,
            (true, LayerCompression.Gzip) => MediaTypes.DockerLayerGzip,
            (true, _) => throw new CliFailure("zstd", "docker's media types know no zstd", "--oci gives the image OCI's"),
        };
    }
}
