// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Oci.Images;

namespace Containerd.Actors.Oci.Tests.Images;

public sealed class PlatformsSpecs
{
    [Theory]
    [InlineData("linux/x86_64", "linux/amd64")]
    [InlineData("linux/aarch64", "linux/arm64")]
    [InlineData("linux/arm64/v8", "linux/arm64")]
    [InlineData("linux/armhf", "linux/arm/v7")]
    [InlineData("linux/arm", "linux/arm/v7")]
    [InlineData("Linux/i386", "linux/386")]
    public void Platforms_are_read_in_gos_words(string text, string normal) => Assert.Equal(normal, Platforms.Text(Platforms.Parse(text)));

    [Theory]
    [InlineData("")]
    [InlineData("*")]
    [InlineData("a/b/c/d")]
    [InlineData("nosuch")]
    [InlineData("linux/a b")]
    public void Nonsense_is_refused(string text) => Assert.Throws<FormatException>(() => Platforms.Parse(text));

    [Theory]
    [InlineData("linux/amd64", "linux/amd64 linux/386")]
    [InlineData("linux/amd64/v3", "linux/amd64/v3 linux/amd64/v2 linux/amd64 linux/386")]
    [InlineData("linux/arm/v7", "linux/arm/v7 linux/arm/v6 linux/arm/v5")]
    [InlineData("linux/arm64", "linux/arm64 linux/arm/v8 linux/arm/v7 linux/arm/v6 linux/arm/v5")]
    public void A_host_runs_its_own_first(string host, string order) =>
        Assert.Equal(order, string.Join(' ', Platforms.RunnableOn(Platforms.Parse(host)).Select(Platforms.Text)));

    [Fact]
    public void The_best_manifest_of_an_index_is_chosen()
    {
        Descriptor Of(string platform) => new(MediaTypes.OciManifest, Digest.Of("x"u8), 1) { Platform = Platforms.Parse(platform) };
        var index = new Oci.Images.Index { Manifests = [Of("linux/386"), Of("linux/arm64"), Of("linux/amd64")] };
        Assert.Equal(
            ["linux/amd64", "linux/386"],
            new PlatformMatcher(new Platform("linux", "amd64")).Choose(index).Select(chosen => Platforms.Text(chosen.Platform!)));
    }
}
