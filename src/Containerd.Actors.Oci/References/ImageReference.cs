// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;
using Containerd.Actors.Oci.Images;

namespace Containerd.Actors.Oci.References;

/// <summary>The name of an image in a registry: <c>host[:port]/path[:tag][@digest]</c>.</summary>
/// <remarks>containerd's references name their host always; <see cref="Normalise"/> adds what people leave out. Grammar: OCI distribution-spec.</remarks>
public sealed partial record ImageReference
{
    /// <summary>Longest text that is read.</summary>
    public const int LengthMax = 4096;

    private const int RepositoryLengthMax = 255;

    private ImageReference(string host, string repository, string? tag, Digest? digest)
    {
        Host = host;
        Repository = repository;
        Tag = tag;
        Digest = digest;
    }

    /// <summary>The registry with its port, as the reference names it.</summary>
    public string Host { get; }

    /// <summary>The path of the repository in the registry, for example <c>library/busybox</c>.</summary>
    public string Repository { get; }

    /// <summary>The tag; null when there is none.</summary>
    public string? Tag { get; }

    /// <summary>The digest; null when there is none. It wins over the tag.</summary>
    public Digest? Digest { get; }

    /// <summary>The host to ask: docker.io is served elsewhere.</summary>
    public string RegistryHost => Host == "docker.io" ? "registry-1.docker.io" : Host;

    /// <summary>The name without tag and digest.</summary>
    public string Locator => $"{Host}/{Repository}";

    /// <summary>Reads a full reference.</summary>
    /// <exception cref="FormatException">The text is not one; the message is containerd's.</exception>
    public static ImageReference Parse(string text)
    {
        string? refusal = Read(text, out ImageReference? reference);
        return reference ?? throw new FormatException(refusal);
    }

    /// <summary>Reads a full reference.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out ImageReference? reference)
    {
        Read(text ?? "", out reference);
        return reference is not null;
    }

    /// <summary>Reads what people write, as docker and nerdctl do: <c>busybox</c> is <c>docker.io/library/busybox:latest</c>.</summary>
    /// <remarks>A tag beside a digest is dropped.</remarks>
    /// <exception cref="FormatException">The text names no image.</exception>
    public static ImageReference Normalise(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (ImageId().IsMatch(text))
        {
            throw new FormatException($"invalid repository name ({text}), cannot specify 64-byte hexadecimal strings");
        }

        int slash = text.IndexOf('/', StringComparison.Ordinal);
        string first = slash < 0 ? "" : text[..slash];
        bool isHost = first.AsSpan().ContainsAny(".:[") || first == "localhost" || first.Any(char.IsAsciiLetterUpper);
        string host = isHost ? first : "docker.io";
        string rest = isHost ? text[(slash + 1)..] : text;
        if (host == "index.docker.io")
        {
            host = "docker.io";
        }

        if (host == "docker.io" && !rest.Contains('/', StringComparison.Ordinal))
        {
            rest = "library/" + rest;
        }

        int end = rest.AsSpan().IndexOfAny(':', '@');
        string repository = end < 0 ? rest : rest[..end];
        if (repository.Any(char.IsAsciiLetterUpper))
        {
            throw new FormatException($"invalid reference format: repository name ({repository}) must be lowercase");
        }

        if (Read($"{host}/{rest}", out ImageReference? reference) is { } refusal && reference is null)
        {
            throw new FormatException(refusal == "invalid reference" ? "invalid reference format" : refusal);
        }

        return new ImageReference(
            reference!.Host, reference.Repository, reference.Digest is null ? reference.Tag ?? "latest" : null, reference.Digest);
    }

    /// <summary>The same repository at this digest, without a tag.</summary>
    public ImageReference At(Digest digest) => new(Host, Repository, null, digest);

    /// <summary>The text that <see cref="Parse"/> reads back.</summary>
    public override string ToString() => Locator + (Tag is null ? "" : ":" + Tag) + (Digest is { } digest ? "@" + digest : "");

    private static string? Read(string text, out ImageReference? reference)
    {
        reference = null;
        if (text.Length > LengthMax || text.Contains("://", StringComparison.Ordinal))
        {
            return "invalid reference";
        }

        int slash = text.IndexOf('/', StringComparison.Ordinal);
        string host = slash < 0 ? text : text[..slash];
        if (host.Length == 0)
        {
            return "hostname required";
        }

        if (slash < 0 || !HostForm().IsMatch(host))
        {
            return "invalid reference";
        }

        string rest = text[(slash + 1)..];
        int at = rest.IndexOf('@', StringComparison.Ordinal);
        string name = at < 0 ? rest : rest[..at];
        Digest? digest = null;
        if (at >= 0)
        {
            if (!Images.Digest.TryParse(rest[(at + 1)..], out Digest parsed))
            {
                return "invalid reference";
            }

            digest = parsed;
        }

        int colon = name.IndexOf(':', StringComparison.Ordinal);
        string repository = colon < 0 ? name : name[..colon];
        string? tag = colon < 0 ? null : name[(colon + 1)..];
        if (repository.Length is 0 or > RepositoryLengthMax || !RepositoryForm().IsMatch(repository) || (tag is not null && !TagForm().IsMatch(tag)))
        {
            return "invalid reference";
        }

        reference = new ImageReference(host, repository, tag, digest);
        return null;
    }

    [GeneratedRegex(@"\A(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?\z")]
    private static partial Regex HostForm();

    [GeneratedRegex(@"\A[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*\z")]
    private static partial Regex RepositoryForm();

    [GeneratedRegex(@"\A[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}\z")]
    private static partial Regex TagForm();

    [GeneratedRegex(@"\A[0-9a-f]{64}\z")]
    private static partial Regex ImageId();
}
