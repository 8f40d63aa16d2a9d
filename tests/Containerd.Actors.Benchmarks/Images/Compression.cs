// SPDX-License-Identifier: Apache-2.0

using System.IO.Compression;
using Containerd.Actors.Oci.Images;
using ZstdSharp;

namespace Containerd.Actors.Benchmarks.Images;

/// <summary>How layers are compressed, with the level that builders of images take.</summary>
internal sealed record Compression(string Name, string MediaType, Func<Stream, Stream> Over)
{
    private const int ZstdLevel = 3;

    /// <summary>gzip.</summary>
    public static readonly Compression Gzip = new("gzip", MediaTypes.OciLayerGzip, target => new GZipStream(target, CompressionLevel.Optimal, leaveOpen: true));

    /// <summary>zstd.</summary>
    public static readonly Compression Zstd = new("zstd", MediaTypes.OciLayerZstd, target => new CompressionStream(target, ZstdLevel, leaveOpen: true));
}
