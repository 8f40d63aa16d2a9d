// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using System.Text;
using System.Text.Json;
using Containerd.Actors.Cli.Commands;
using Containerd.Actors.Cli.Errors;
using Containerd.Actors.Cli.Making;
using Containerd.Actors.Oci.Images;

namespace Containerd.Actors.Cli.Tests.Making;

public sealed class MakingSpecs
{
    [Theory]
    [InlineData(MediaTypes.OciLayerGzip, "Docker", "Gzip", MediaTypes.DockerLayerGzip)]
    [InlineData(MediaTypes.DockerLayerGzip, "Oci", "Zstd", MediaTypes.OciLayerZstd)]
    [InlineData(MediaTypes.DockerLayerGzip, "Same", "None", MediaTypes.DockerLayer)]
    [InlineData(MediaTypes.OciLayer, "Same", "Zstd", MediaTypes.OciLayerZstd)]
    [InlineData(MediaTypes.DockerForeignLayerGzip, "Oci", "Zstd", MediaTypes.DockerForeignLayerGzip)]
    [InlineData("application/vnd.in-toto+json", "Docker", "Zstd", "application/vnd.in-toto+json")]
    public void Layers_get_the_type_of_their_form_and_compression(string before, string form, string compression, string after) => Assert.Equal(
        after, MediaForms.Layer(before, Enum.Parse<MediaForm>(form), Enum.Parse<LayerCompression>(compression)));

    [Fact]
    public void Docker_has_no_type_for_zstd()
    {
        CliFailure refused = Assert.Throws<CliFailure>(() => MediaForms.Layer(MediaTypes.DockerLayerGzip, MediaForm.Same, LayerCompression.Zstd));
        Assert.Contains("--oci", refused.Line, StringComparison.Ordinal);
        Assert.Throws<CliFailure>(() => MediaForms.Layer(MediaTypes.OciLayerGzip, MediaForm.Docker, LayerCompression.Zstd));
    }

    [Theory]
    [InlineData(MediaTypes.OciIndex, "Docker", MediaTypes.DockerManifestList)]
    [InlineData(MediaTypes.DockerManifest, "Oci", MediaTypes.OciManifest)]
    [InlineData(MediaTypes.DockerConfig, "Same", MediaTypes.DockerConfig)]
    [InlineData("application/vnd.other+json", "Oci", "application/vnd.other+json")]
    public void Documents_get_the_type_of_their_form(string before, string form, string after) =>
        Assert.Equal(after, MediaForms.Document(before, Enum.Parse<MediaForm>(form)));

    [Theory]
    [InlineData("convert a r.test/b:1", "nothing is to be converted")]
    [InlineData("convert a r.test/b:1 --oci --docker", "either OCI's media types or docker's")]
    [InlineData("convert a r.test/b:1 --compression lz4", "must be gzip, zstd or none")]
    public void A_conversion_of_nothing_or_into_both_is_refused(string line, string text) =>
        Assert.Contains(text, Assert.Throws<FormatException>(() => ConvertCommand.Wish(CommandTree.Parse(line.Split(' ')))).Message, StringComparison.Ordinal);

    [Fact]
    public void A_conversion_reads_its_options()
    {
        ConversionWish wish = ConvertCommand.Wish(CommandTree.Parse("convert a r.test/b:1 --compression zstd --oci --platform linux/arm64".Split(' ')));
        Assert.Equal((MediaForm.Oci, LayerCompression.Zstd), (wish.Form, wish.Compression));
        Assert.Equal("linux/arm64", Platforms.Text(wish.Platforms.Single()));
    }

    [Fact]
    public void A_committed_configuration_has_one_layer_more_and_keeps_what_it_does_not_know()
    {
        Digest one = Digest.Of("one"u8);
        Digest two = Digest.Of("two"u8);
        byte[] before = Encoding.UTF8.GetBytes(
            $$$"""{"os":"linux","architecture":"amd64","config":{"Cmd":["sh"],"Healthcheck":{"Test":["x"]}},"rootfs":{"type":"layers","diff_ids":["{{{one}}}"]},"moby":1}""");
        byte[] after = CommittedConfig.Write(before, new CommittedLayer(two, DateTimeOffset.UnixEpoch, "sh -c x", "me", "why"));

        ImageConfig config = ImageDocuments.ReadConfig(after, 1 << 20);
        Assert.Equal([one, two], config.RootFs.DiffIds);
        HistoryEntry entry = Assert.Single(config.History);
        Assert.Equal(("sh -c x", "me", "why", DateTimeOffset.UnixEpoch), (entry.CreatedBy, entry.Author, entry.Comment, entry.Created));
        Assert.Equal(("me", DateTimeOffset.UnixEpoch), (config.Author, config.Created));
        using JsonDocument json = JsonDocument.Parse(after);
        Assert.Equal(1, json.RootElement.GetProperty("moby").GetInt32());
        Assert.Equal("x", json.RootElement.GetProperty("config").GetProperty("Healthcheck").GetProperty("Test")[0].GetString());
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("null")]
    public void What_is_no_configuration_is_refused(string text) => Assert.Throws<FormatException>(
        () => CommittedConfig.Write(Encoding.UTF8.GetBytes(text), new CommittedLayer(Digest.Of("x"u8), default, "", "", "")));

    [Fact]
    public void A_name_without_a_registry_is_refused() =>
        Assert.Contains("docker.io/library/redis:7", Assert.Throws<CliFailure>(() => TagCommand.Check("redis")).Line, StringComparison.Ordinal);
}
