// SPDX-License-Identifier: Apache-2.0

using System.Security.Cryptography;
using System.Text;
using Containerd.Actors.Shim.Starting;

namespace Containerd.Actors.Shim.Tests.Starting;

public sealed class Sha256Specs
{
    // FIPS 180-4's examples.
    [Theory]
    [InlineData("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    [InlineData("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")]
    [InlineData("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")]
    public void It_is_the_standards(string text, string digest) =>
        Assert.Equal(digest, Convert.ToHexStringLower(Sha256.Of(Encoding.UTF8.GetBytes(text))));

    [Fact]
    public void Every_length_around_the_edges_of_blocks_is_padded_right()
    {
        byte[] text = [.. Enumerable.Range(0, 300).Select(i => (byte)(i * 7))];
        for (int length = 0; length < text.Length; length++)
        {
            Assert.Equal(SHA256.HashData(text.AsSpan(0, length)), Sha256.Of(text.AsSpan(0, length)));
        }
    }
}
