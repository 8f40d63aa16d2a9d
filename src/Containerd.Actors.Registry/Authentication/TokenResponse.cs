// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Serialization;

namespace Containerd.Actors.Registry.Authentication;

/// <summary>The answer of a token server.</summary>
/// <remarks>Docker's token authentication specification; the OAuth2 form says <c>access_token</c>.</remarks>
internal sealed record TokenResponse
{
    [JsonPropertyName("token")]
    public string? Token { get; init; }

    [JsonPropertyName("access_token")]
    public string? AccessToken { get; init; }

    /// <summary>Seconds of validity.</summary>
    [JsonPropertyName("expires_in")]
    public long? ExpiresIn { get; init; }

    /// <summary>Says that there is a token, and nothing about it.</summary>
    public override string ToString() => "[token]";
}

[JsonSerializable(typeof(TokenResponse))]
internal sealed partial class TokenJson : JsonSerializerContext;
