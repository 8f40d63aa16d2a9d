// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Oci.Images;

/// <summary>The media types of images, in OCI's and in docker's words, and what each of them says about the content.</summary>
/// <remarks>OCI image-spec, media-types.md; docker's "Image Manifest Version 2, Schema 2".</remarks>
public static class MediaTypes
{
    public const string OciIndex = "application/vnd.oci.image.index.v1+json";
    public const string OciManifest = "application/vnd.oci.image.manifest.v1+json";
    public const string OciConfig = "application/vnd.oci.image.config.v1+json";
    public const string OciLayer = "application/vnd.oci.image.layer.v1.tar";
    public const string OciLayerGzip = "application/vnd.oci.image.layer.v1.tar+gzip";
    public const string OciLayerZstd = "application/vnd.oci.image.layer.v1.tar+zstd";
    public const string OciForeignLayer = "application/vnd.oci.image.layer.nondistributable.v1.tar";
    public const string OciForeignLayerGzip = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip";
    public const string OciForeignLayerZstd = "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd";

    public const string DockerManifestList = "application/vnd.docker.distribution.manifest.list.v2+json";
    public const string DockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
    public const string DockerSchema1 = "application/vnd.docker.distribution.manifest.v1+json";
    public const string DockerSchema1Signed = "application/vnd.docker.distribution.manifest.v1+prettyjws";
    public const string DockerConfig = "application/vnd.docker.container.image.v1+json";
    public const string DockerLayer = "application/vnd.docker.image.rootfs.diff.tar";
    public const string DockerLayerGzip = "application/vnd.docker.image.rootfs.diff.tar.gzip";
    public const string DockerLayerZstd = "application/vnd.docker.image.rootfs.diff.tar.zstd";
    public const string DockerForeignLayer = "application/vnd.docker.image.rootfs.foreign.diff.tar";
    public const string DockerForeignLayerGzip = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";

    /// <summary>What a registry is asked for when a reference is resolved, best known first.</summary>
    public const string AcceptedManifests =
        DockerManifest + ", " + DockerManifestList + ", " + OciManifest + ", " + OciIndex + ", */*";

    /// <summary>True for an OCI index or a docker manifest list.</summary>
    public static bool IsIndex(string? mediaType) => mediaType is OciIndex or DockerManifestList;

    /// <summary>True for the manifest of one image.</summary>
    public static bool IsManifest(string? mediaType) => mediaType is OciManifest or DockerManifest;

    /// <summary>True for docker's first manifest format, which is not supported.</summary>
    public static bool IsSchema1(string? mediaType) => mediaType is DockerSchema1 or DockerSchema1Signed;

    /// <summary>True for the configuration of a container image.</summary>
    public static bool IsConfig(string? mediaType) => mediaType is OciConfig or DockerConfig;

    /// <summary>True for a file system layer, foreign ones included.</summary>
    public static bool IsLayer(string? mediaType) => mediaType is not null && LayerCompression(mediaType) is not null;

    /// <summary>True for a layer that a registry need not hold and that is not pushed.</summary>
    public static bool IsForeignLayer(string? mediaType) => mediaType is OciForeignLayer or OciForeignLayerGzip
        or OciForeignLayerZstd or DockerForeignLayer or DockerForeignLayerGzip;

    /// <summary>How a layer of this type is compressed; null when the type is not a layer's.</summary>
    /// <remarks>The types are a promise only: docker layers called plain are gzip at times, so that unpackers look at the bytes too.</remarks>
    public static LayerCompression? LayerCompression(string mediaType) => mediaType switch
    {
        OciLayer or OciForeignLayer or DockerLayer or DockerForeignLayer => Images.LayerCompression.None,
        OciLayerGzip or OciForeignLayerGzip or DockerLayerGzip or DockerForeignLayerGzip => Images.LayerCompression.Gzip,
        OciLayerZstd or OciForeignLayerZstd or DockerLayerZstd => Images.LayerCompression.Zstd,
        _ => null,
    };
}

/// <summary>How the tar archive of a layer is compressed.</summary>
public enum LayerCompression
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>RFC 1952.</summary>
    Gzip,

    /// <summary>RFC 8878.</summary>
    Zstd,
}
