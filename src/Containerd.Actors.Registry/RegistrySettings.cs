// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Registry.Authentication;
using Containerd.Actors.Registry.Fetching;

namespace Containerd.Actors.Registry;

/// <summary>Limits and choices of the registry client.</summary>
public sealed record RegistrySettings
{
    /// <summary>Longest time to connect, TLS included; <c>dial_timeout</c> in hosts.toml overrides it.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Longest time from sending a request to the end of the response's header.</summary>
    public TimeSpan HeaderTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Longest time in which a body may bring nothing.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How often one request is tried, the first time included.</summary>
    public int AttemptsMax { get; init; } = 5;

    /// <summary>Wait before the second attempt; it doubles for each further one and varies by a quarter.</summary>
    public TimeSpan BackoffFirst { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Longest wait that doubling leads to.</summary>
    public TimeSpan BackoffMax { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Longest wait that a registry may ask for; a longer one ends the request.</summary>
    public TimeSpan RetryAfterMax { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How many redirects one request follows.</summary>
    public int RedirectsMax { get; init; } = 10;

    /// <summary>Longest manifest or index, in bytes.</summary>
    public int ManifestBytesMax { get; init; } = 8 * 1024 * 1024;

    /// <summary>When blobs come in several ranges at a time.</summary>
    public RangeSettings Ranges { get; init; } = RangeSettings.None;

    /// <summary>Longest answer of a token server, in bytes.</summary>
    public int TokenBytesMax { get; init; } = 256 * 1024;

    /// <summary>Directory of <c>HOST/hosts.toml</c> files; null when there is none.</summary>
    public string? HostsDirectory { get; init; }

    /// <summary>True to speak http to a registry that hosts.toml says nothing about.</summary>
    public bool IsPlainHttp { get; init; }

    /// <summary>True to speak https only to a registry that hosts.toml says nothing about, also when it is this machine.</summary>
    public bool IsHttpsOnly { get; init; }

    /// <summary>Headers of every request to a registry or mirror, beside those of hosts.toml; they may hold secrets.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    /// <summary>What the client calls itself.</summary>
    public string UserAgent { get; init; } = "containerd-actors";

    /// <summary>Where credentials come from when a pull brings none.</summary>
    public ICredentialStore Credentials { get; init; } = CredentialStores.Anonymous;
}
