// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Containerd.Actors.Oci.Images;

namespace Containerd.Actors.Oci.Tests.Images;

public sealed class ImageDocumentsSpecs
{
    private const string Descriptor =
        """{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","size":2}""";

    private static Manifest Read(string json) => ImageDocuments.ReadManifest(Encoding.UTF8.GetBytes(json), 4096, MediaTypes.OciManifest);

    [Fact]
    public void A_manifest_is_read_and_written()
    {
        Manifest manifest = Read($$"""{"schemaVersion":2,"config":{{Descriptor}},"layers":[{{Descriptor}}],"unknown":1}""");
        Assert.Equal(2, manifest.Layers[0].Size);
        Assert.Equal(manifest.Config, Read(Encoding.UTF8.GetString(ImageDocuments.Write(manifest))).Config);
    }

    [Fact]
    public void Null_layers_are_no_layers() => Assert.Empty(Read($$"""{"config":{{Descriptor}},"layers":null}""").Layers);

    [Theory]
    [InlineData("""{"config":D,"layers":[],"manifests":[D]}""", "expected manifest but found index")]
    [InlineData("""{"config":D,"layers":[],"Manifests":[D]}""", "expected manifest but found index")]
    [InlineData("""{"config":D,"Config":D}""", "occurs twice")]
    [InlineData("""{"config":D,"config":D}""", "invalid JSON")]
    [InlineData("""{"config":D,"fsLayers":[1]}""", "schema 1")]
    [InlineData("""{"config":D,"layers":[null]}""", "descriptor without")]
    [InlineData("""{"layers":[]}""", "without a config")]
    [InlineData("""{"config":D,"mediaType":"application/vnd.oci.image.index.v1+json"}""", "document says")]
    [InlineData("""[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]""", "invalid JSON")]
    [InlineData("null", "not a JSON object")]
    [InlineData("", "invalid JSON")]
    [InlineData("""{"config":{"mediaType":"m","digest":"sha256:1","size":1}}""", "failed validation")]
    [InlineData("""{"config":{"digest":"sha256:1"}}""", "invalid JSON")]
    public void Hostile_manifests_are_refused(string json, string reason) =>
        Assert.Contains(
            reason,
            Assert.Throws<FormatException>(() => Read(json.Replace("D", Descriptor, StringComparison.Ordinal))).Message,
            StringComparison.Ordinal);

    [Fact]
    public void A_document_over_the_limit_is_refused() =>
        Assert.Throws<FormatException>(() => ImageDocuments.ReadConfig(new byte[100], 99));

    [Fact]
    public void An_index_with_layers_is_refused() =>
        Assert.Contains("expected index but found manifest", Assert.Throws<FormatException>(() => ImageDocuments.ReadIndex(
            Encoding.UTF8.GetBytes($$"""{"manifests":[],"layers":[{{Descriptor}}]}"""), 4096)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_config_is_read_with_gos_nulls()
    {
        ImageConfig config = ImageDocuments.ReadConfig(
            """{"os":"linux","architecture":"amd64","config":{"Env":null,"Cmd":["sh"],"Volumes":{"/v":{}}},"rootfs":{"type":"layers","diff_ids":[]}}"""u8.ToArray(), 4096);
        Assert.Equal(["sh"], config.Config.Cmd);
        Assert.Empty(config.Config.Env);
        Assert.Equal(new Platform("linux", "amd64"), config.Platform);
    }

    [Fact]
    public void A_chain_id_covers_the_layers_below()
    {
        Digest first = Digest.Of("1"u8);
        Digest second = Digest.Of("2"u8);
        Assert.Equal(first, ChainId.Of([first]));
        Assert.Equal(Digest.Of(Encoding.ASCII.GetBytes($"{first} {second}")), ChainId.Of([first, second]));
    }
}
