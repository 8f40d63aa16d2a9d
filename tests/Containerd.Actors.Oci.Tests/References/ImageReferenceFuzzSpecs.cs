// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Fuzzing;
using Containerd.Actors.Oci.References;

namespace Containerd.Actors.Oci.Tests.References;

/// <summary>Whatever somebody takes for an image's name, it is one or refused as none; what is one is read back from its own text.</summary>
public sealed class ImageReferenceFuzzSpecs
{
    private static readonly string[] Samples =
    [
        "docker.io/library/busybox:latest", "busybox", "localhost:5000/a/b_c/d--e:v1.0", "[::1]:5000/x@sha256:" + A(64), "quay.io/o/p:t@sha512:" + A(128),
        "Host/repo", A(64), "index.docker.io/x",
    ];

    private static readonly string[] Tokens = ["/", ":", "@", "sha256:", ".", "-", "__", "[", "]", "A", "latest", "..", "%", " ", "é", ":99999", "\0", "//"];

    [Fact]
    public Task A_reference_is_read_or_refused() => Fuzz.RunAsync(20_000, [], random =>
    {
        string text = Fuzz.Text(random, Samples, Tokens);
        Assert.Equal(Reads(() => ImageReference.Parse(text), out ImageReference? parsed), ImageReference.TryParse(text, out _));
        Reads(() => ImageReference.Normalise(text), out ImageReference? normalised);
        foreach (ImageReference reference in new[] { parsed, normalised }.OfType<ImageReference>())
        {
            Assert.Equal(reference, ImageReference.Parse(reference.ToString()));
        }
    });

    private static bool Reads(Func<ImageReference> read, out ImageReference? reference)
    {
        try
        {
            reference = read();
            return true;
        }
        catch (FormatException refused)
        {
            Assert.NotEmpty(refused.Message);
            reference = null;
            return false;
        }
    }

    private static string A(int length) => new('a', length);
}
