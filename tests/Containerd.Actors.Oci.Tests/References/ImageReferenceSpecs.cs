// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Oci.References;
using CsCheck;

namespace Containerd.Actors.Oci.Tests.References;

public sealed class ImageReferenceSpecs
{
    private const string Hex = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    [Theory]
    [InlineData("busybox", "docker.io/library/busybox:latest")]
    [InlineData("busybox:1.36", "docker.io/library/busybox:1.36")]
    [InlineData("bitnami/redis", "docker.io/bitnami/redis:latest")]
    [InlineData("index.docker.io/busybox", "docker.io/library/busybox:latest")]
    [InlineData("localhost/a", "localhost/a:latest")]
    [InlineData("localhost:5000/a/b:t", "localhost:5000/a/b:t")]
    [InlineData("quay.io/a:t@sha256:" + Hex, "quay.io/a@sha256:" + Hex)]
    public void Short_names_are_completed(string text, string full) =>
        Assert.Equal(full, ImageReference.Normalise(text).ToString());

    [Theory]
    [InlineData("", "hostname required")]
    [InlineData("/a", "hostname required")]
    [InlineData("busybox", "invalid reference")]
    [InlineData("https://h/a", "invalid reference")]
    [InlineData("h/a:", "invalid reference")]
    [InlineData("h/../a", "invalid reference")]
    [InlineData("h/A", "invalid reference")]
    [InlineData("h/a@sha256:12", "invalid reference")]
    [InlineData("h/a:t\n", "invalid reference")]
    [InlineData("user@h/a", "invalid reference")]
    public void Malformed_references_are_refused_in_containerds_words(string text, string message) =>
        Assert.Equal(message, Assert.Throws<FormatException>(() => ImageReference.Parse(text)).Message);

    [Fact]
    public void An_image_id_is_no_name() =>
        Assert.Contains("64-byte hexadecimal", Assert.Throws<FormatException>(() => ImageReference.Normalise(Hex)).Message, StringComparison.Ordinal);

    [Fact]
    public void Docker_io_is_served_by_registry_1() =>
        Assert.Equal("registry-1.docker.io", ImageReference.Normalise("busybox").RegistryHost);

    [Fact]
    public void What_is_printed_is_read_back()
    {
        Gen<string> word = Gen.String[Gen.Char["abcz09"], 1, 8];
        Gen.Select(word, word.Array[1, 4], word, Gen.Bool, Gen.Bool).Sample((host, path, tag, hasTag, hasDigest) =>
        {
            string text = $"{host}:5000/{string.Join('/', path)}{(hasTag ? ":" + tag : "")}{(hasDigest ? "@sha256:" + Hex : "")}";
            Assert.Equal(text, ImageReference.Parse(text).ToString());
        });
    }

    [Fact]
    public void A_mutated_reference_is_refused_or_read_back_unchanged()
    {
        const string seed = "localhost:5000/a/b:tag@sha256:" + Hex;
        Gen.Select(Gen.Int[0, seed.Length - 1], Gen.Char).Array[1, 4].Sample(changes =>
        {
            char[] text = seed.ToCharArray();
            foreach ((int at, char with) in changes)
            {
                text[at] = with;
            }

            Assert.True(!ImageReference.TryParse(new string(text), out ImageReference? read) || read.ToString() == new string(text));
        });
    }
}
