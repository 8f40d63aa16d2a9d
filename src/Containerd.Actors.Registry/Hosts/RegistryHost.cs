// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Registry.Hosts;

/// <summary>What a host may be used for.</summary>
[Flags]
public enum HostCapabilities
{
    None = 0,

    /// <summary>Fetch content by digest.</summary>
    Pull = 1,

    /// <summary>Turn a tag into a digest: the host is trusted to know.</summary>
    Resolve = 2,

    /// <summary>Store content.</summary>
    Push = 4,

    /// <summary>Tell what refers to content.</summary>
    Referrers = 8,

    All = Pull | Resolve | Push | Referrers,
}

/// <summary>A place that serves a registry's content: the registry itself or a mirror of it.</summary>
/// <remarks>One <c>[host."…"]</c> table of a hosts.toml file, or its <c>server</c>.</remarks>
public sealed record RegistryHost
{
    /// <summary>Where requests go: scheme, host, port and path prefix, without a slash at the end, for example <c>https://host/v2</c>.</summary>
    public required Uri Endpoint { get; init; }

    public HostCapabilities Capabilities { get; init; } = HostCapabilities.All;

    /// <summary>True to accept any certificate.</summary>
    public bool SkipsVerify { get; init; }

    /// <summary>True to speak http when the host turns out not to speak TLS.</summary>
    public bool FallsBackToHttp { get; init; }

    /// <summary>PEM files of certificate authorities, trusted beside the system's.</summary>
    public IReadOnlyList<string> AuthorityFiles { get; init; } = [];

    /// <summary>PEM files of client certificates with their keys; a null key lies in the same file.</summary>
    public IReadOnlyList<ClientCertificateFiles> ClientCertificates { get; init; } = [];

    /// <summary>Headers of every request to this host; they may hold secrets and go nowhere else.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    /// <summary>Longest time to connect; null leaves the setting.</summary>
    public TimeSpan? DialTimeout { get; init; }

    /// <summary>Host and port, the port left out when it is the scheme's.</summary>
    public string Authority => Endpoint.Authority;

    /// <summary>Describes the host without its headers.</summary>
    public override string ToString() => $"{Endpoint} ({Capabilities})";
}

/// <summary>A client certificate and its private key, each a PEM file.</summary>
public sealed record ClientCertificateFiles(string Certificate, string? Key);
