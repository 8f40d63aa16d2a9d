// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Registry.Authentication;

/// <summary>What proves to a registry who asks; never part of a text.</summary>
public sealed record Credentials
{
    /// <summary>The user; empty with an identity token.</summary>
    public string Username { get; init; } = "";

    /// <summary>The password or access token of the user.</summary>
    public string Secret { get; init; } = "";

    /// <summary>A refresh token that a token server exchanges; used instead of the user when present.</summary>
    public string? IdentityToken { get; init; }

    /// <summary>The whole value of the Authorization header, sent as it is; used instead of all else when present.</summary>
    public string? Header { get; init; }

    /// <summary>Says that there are credentials, and nothing about them.</summary>
    public override string ToString() => "[credentials]";
}

/// <summary>Knows the credentials for hosts.</summary>
public interface ICredentialStore
{
    /// <summary>The credentials for a registry or mirror, or null to ask anonymously.</summary>
    /// <param name="host">Host and port; docker.io is asked for by that name.</param>
    /// <param name="cancellationToken">Gives up.</param>
    ValueTask<Credentials?> FindAsync(string host, CancellationToken cancellationToken);
}

/// <summary>Simple stores.</summary>
public static class CredentialStores
{
    /// <summary>Knows nobody.</summary>
    public static ICredentialStore Anonymous { get; } = new OneHost(null, null);

    /// <summary>Knows one host only; others are asked anonymously.</summary>
    public static ICredentialStore For(string host, Credentials credentials) => new OneHost(host, credentials);

    private sealed class OneHost(string? host, Credentials? credentials) : ICredentialStore
    {
        public ValueTask<Credentials?> FindAsync(string asked, CancellationToken cancellationToken) =>
            ValueTask.FromResult(asked == host ? credentials : null);
    }
}
