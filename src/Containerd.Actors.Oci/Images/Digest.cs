// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text.Json.Serialization;

namespace Containerd.Actors.Oci.Images;

/// <summary>The name of a blob: an algorithm and the lower-case hexadecimal hash of the bytes.</summary>
/// <remarks>OCI image-spec, descriptor.md "Digests". Registered algorithms are sha256, sha384 and sha512.</remarks>
[JsonConverter(typeof(DigestJsonConverter))]
public readonly record struct Digest : IComparable<Digest>
{
    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");

    private readonly string? _text;

    private Digest(string text) => _text = text;

    /// <summary>The algorithm: the part before the colon.</summary>
    public string Algorithm => Text[..Text.IndexOf(':', StringComparison.Ordinal)];

    /// <summary>The hash in lower-case hexadecimal: the part behind the colon.</summary>
    public string Hex => Text[(Text.IndexOf(':', StringComparison.Ordinal) + 1)..];

    private string Text => _text ?? throw new InvalidOperationException("a digest without a value was used");

    /// <summary>True for the default value, which names nothing.</summary>
    public bool IsEmpty => _text is null;

    /// <summary>Reads <c>algorithm:hex</c>; a text that is not a registered digest is refused.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out Digest digest)
    {
        digest = default;
        if (text is null)
        {
            return false;
        }

        int colon = text.IndexOf(':', StringComparison.Ordinal);
        int length = colon < 0 ? 0 : text[..colon] switch { "sha256" => 64, "sha384" => 96, "sha512" => 128, _ => 0 };
        if (length == 0 || text.Length - colon - 1 != length || text.AsSpan(colon + 1).ContainsAnyExcept(HexDigits))
        {
            return false;
        }

        digest = new Digest(text);
        return true;
    }

    /// <summary>Reads <c>algorithm:hex</c>.</summary>
    /// <exception cref="FormatException">The text is not a registered digest.</exception>
    public static Digest Parse(string text) =>
        TryParse(text, out Digest digest) ? digest : throw new FormatException($"\"{text}\" failed validation");

    /// <summary>The sha256 digest of the bytes.</summary>
    public static Digest Of(ReadOnlySpan<byte> bytes) => FromHash("sha256", SHA256.HashData(bytes));

    /// <summary>The digest with this algorithm whose hash is given as bytes.</summary>
    public static Digest FromHash(string algorithm, ReadOnlySpan<byte> hash) =>
        Parse($"{algorithm}:{Convert.ToHexStringLower(hash)}");

    /// <summary>A hash that computes digests of this algorithm.</summary>
    public static IncrementalHash CreateHash(string algorithm) => IncrementalHash.CreateHash(algorithm switch
    {
        "sha256" => HashAlgorithmName.SHA256,
        "sha384" => HashAlgorithmName.SHA384,
        "sha512" => HashAlgorithmName.SHA512,
        _ => throw new FormatException($"unsupported digest algorithm \"{algorithm}\""),
    });

    /// <summary>Byte order of the text, which is the order in which content is listed.</summary>
    public int CompareTo(Digest other) => string.CompareOrdinal(_text, other._text);

    /// <inheritdoc />
    public override string ToString() => _text ?? "";

    /// <summary>Order by <see cref="CompareTo"/>.</summary>
    public static bool operator <(Digest left, Digest right) => left.CompareTo(right) < 0;

    /// <summary>Order by <see cref="CompareTo"/>.</summary>
    public static bool operator >(Digest left, Digest right) => left.CompareTo(right) > 0;

    /// <summary>Order by <see cref="CompareTo"/>.</summary>
    public static bool operator <=(Digest left, Digest right) => left.CompareTo(right) <= 0;

    /// <summary>Order by <see cref="CompareTo"/>.</summary>
    public static bool operator >=(Digest left, Digest right) => left.CompareTo(right) >= 0;
}
