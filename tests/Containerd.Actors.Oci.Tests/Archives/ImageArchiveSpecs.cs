// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Containerd.Actors.Oci.Archives;
using Containerd.Actors.Oci.Images;

namespace Containerd.Actors.Oci.Tests.Archives;

public sealed class ImageArchiveSpecs
{
    [Theory]
    [InlineData("./index.json", "index.json")]
    [InlineData("blobs//sha256/./x", "blobs/sha256/x")]
    [InlineData("a/../b", "b")]
    [InlineData("../b", null)]
    [InlineData("a/../../b", null)]
    [InlineData("/etc/passwd", null)]
    [InlineData("a\0b", null)]
    [InlineData("", null)]
    [InlineData("./", null)]
    public void Paths_are_cleaned_and_none_leads_out(string path, string? clean) => Assert.Equal(clean, ImageArchive.Clean(path));

    [Fact]
    public void A_path_promises_a_digest_only_where_a_layout_keeps_blobs()
    {
        var digest = Digest.Of("x"u8);
        Assert.Equal(digest, ImageArchive.DigestOf(ImageArchive.BlobPath(digest)));
        Assert.Null(ImageArchive.DigestOf($"blobs/sha256/{digest.Hex}/x"));
        Assert.Null(ImageArchive.DigestOf("blobs/sha256/short"));
        Assert.Null(ImageArchive.DigestOf($"other/{digest.Hex}"));
    }

    [Fact]
    public void Docker_lists_its_images_and_nothing_in_the_list_is_null()
    {
        ArchivedImage image = Assert.Single(ImageArchive.ReadImages("""[{"Config":"c.json","RepoTags":null,"Layers":["a/layer.tar"],"Extra":1}]"""u8));
        Assert.Equal(("c.json", 0, "a/layer.tar"), (image.Config, image.RepoTags.Count, image.Layers.Single()));
        Assert.Throws<FormatException>(() => ImageArchive.ReadImages("[null]"u8));
        Assert.Throws<FormatException>(() => ImageArchive.ReadImages("""[{"Layers":[null]}]"""u8));
        Assert.Throws<FormatException>(() => ImageArchive.ReadImages("{}"u8));
        Assert.Contains("\"RepoTags\":[]", Encoding.UTF8.GetString(ImageArchive.Write([image])), StringComparison.Ordinal);
    }

    [Fact]
    public void Another_version_of_the_layout_is_refused()
    {
        ImageArchive.CheckLayout(ImageArchive.WriteLayout());
        Assert.Equal(
            "unsupported OCI version 2.0.0",
            Assert.Throws<FormatException>(() => ImageArchive.CheckLayout("""{"imageLayoutVersion":"2.0.0"}"""u8)).Message);
        Assert.Throws<FormatException>(() => ImageArchive.CheckLayout("[]"u8));
    }
}
