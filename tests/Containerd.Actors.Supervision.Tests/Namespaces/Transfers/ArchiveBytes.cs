// SPDX-License-Identifier: Apache-2.0

using System.Formats.Tar;
using System.Text;
using Containerd.Actors.Oci.Archives;
using Containerd.Actors.Oci.Images;
using Index = Containerd.Actors.Oci.Images.Index;

namespace Containerd.Actors.Supervision.Tests.Namespaces.Transfers;

/// <summary>Builds image archives, right ones and wrong ones.</summary>
internal sealed class ArchiveBytes
{
    private readonly List<TarEntry> _entries = [];
    private byte[]? _written;

    public ArchiveBytes File(string name, byte[] bytes)
    {
        _entries.Add(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(bytes) });
        return this;
    }

    public ArchiveBytes File(string name, string text) => File(name, Encoding.UTF8.GetBytes(text));

    public ArchiveBytes Link(string name, string target)
    {
        _entries.Add(new PaxTarEntry(TarEntryType.SymbolicLink, name) { LinkName = target });
        return this;
    }

    /// <summary>A blob at its place in a layout.</summary>
    public Descriptor Blob(string mediaType, byte[] bytes)
    {
        var blob = new Descriptor(mediaType, Digest.Of(bytes), bytes.Length);
        File(ImageArchive.BlobPath(blob.Digest), bytes);
        return blob;
    }

    /// <summary>A whole image with one layer in a layout.</summary>
    public Descriptor Image(string layer, Platform platform) => Image([layer], platform);

    /// <summary>A whole image in a layout.</summary>
    public Descriptor Image(string[] layers, Platform platform)
    {
        byte[][] bytes = [.. layers.Select(Encoding.UTF8.GetBytes)];
        Descriptor config = Blob(MediaTypes.OciConfig, Config(platform, [.. bytes.Select(layer => Digest.Of(layer))]));
        var manifest = new Manifest
        {
            MediaType = MediaTypes.OciManifest,
            Config = config,
            Layers = [.. bytes.Select(layer => Blob(MediaTypes.OciLayer, layer))],
        };
        return Blob(MediaTypes.OciManifest, ImageDocuments.Write(manifest)) with { Platform = platform };
    }

    /// <summary>Makes it a layout with these images.</summary>
    public ArchiveBytes Layout(params Descriptor[] images) =>
        File(ImageArchive.IndexFile, ImageDocuments.Write(new Index { Manifests = images })).File(ImageArchive.LayoutFile, ImageArchive.WriteLayout());

    public static byte[] Config(Platform platform, params Digest[] diffIds) => ImageDocuments.Write(new ImageConfig
    {
        Os = platform.Os,
        Architecture = platform.Architecture,
        RootFs = new RootFs { DiffIds = diffIds },
    });

    public byte[] Write() => _written ??= WriteOnce();

    private byte[] WriteOnce()
    {
        var target = new MemoryStream();
        using (var tar = new TarWriter(target, TarEntryFormat.Pax, leaveOpen: true))
        {
            foreach (TarEntry entry in _entries)
            {
                tar.WriteEntry(entry);
            }
        }

        return target.ToArray();
    }
}
