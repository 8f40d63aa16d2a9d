// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Registry.Hosts;
using Containerd.Actors.Registry.Http;

namespace Containerd.Actors.Registry.Authentication;

/// <summary>Holds what one host wants to see in <c>Authorization</c>: nothing, Basic, or a token for each scope.</summary>
/// <remarks>Safe for use by several requests at a time: of those that are turned away together, one fetches the token.</remarks>
internal sealed class Authorizer(
    RegistryHost host, string credentialsName, ICredentialStore credentials, HostTransport transport, RegistrySettings settings, TimeProvider time)
    : IDisposable
{
    // Docker's specification: a token that does not say how long it lives, lives for 60 seconds.
    private static readonly TimeSpan LifeDefault = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan LifeMargin = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim _lock = new(1, 1);
    private readonly Dictionary<string, Token> _tokens = new(StringComparer.Ordinal);
    private Challenge? _bearer;
    private AuthenticationHeaderValue? _basic;

    private sealed record Token(AuthenticationHeaderValue Header, DateTimeOffset ExpiresAt);

    /// <summary>What to send for this scope now; null for nothing.</summary>
    public async Task<AuthenticationHeaderValue?> HeaderAsync(string scope, CancellationToken cancellationToken)
    {
        await _lock.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_bearer is null)
            {
                return _basic;
            }

            return _tokens.TryGetValue(scope, out Token? token) && token.ExpiresAt > time.GetUtcNow()
                ? token.Header
                : await FetchAsync(
                    _bearer, await credentials.FindAsync(credentialsName, cancellationToken).ConfigureAwait(false), scope, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _lock.Release();
        }
    }

    /// <summary>Answers a 401; false when nothing better can be sent.</summary>
    /// <param name="challenges">The values of the response's <c>WWW-Authenticate</c>.</param>
    /// <param name="sent">What the refused request carried.</param>
    /// <param name="scope">What the request is for.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<bool> AnswerAsync(
        IEnumerable<string> challenges, AuthenticationHeaderValue? sent, string scope, CancellationToken cancellationToken)
    {
        List<Challenge> asked = [.. challenges.SelectMany(Challenge.Parse)];
        await _lock.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            Credentials? known = sent is null ? await credentials.FindAsync(credentialsName, cancellationToken).ConfigureAwait(false) : null;
            if (known?.Header is { } own)
            {
                // No text of ours may hold it, so that one that is malformed is only said to be so.
                _basic = AuthenticationHeaderValue.TryParse(own, out AuthenticationHeaderValue? header)
                    ? header
                    : throw new RefusedException(Error.Invalid("malformed authorization header"));
                return true;
            }

            if (asked.Find(challenge => challenge.Scheme == "bearer" && challenge["realm"].Length > 0) is { } bearer)
            {
                if (sent is not null)
                {
                    CheckScope(bearer, scope);
                }

                _bearer = bearer;
                bool isRenewed = _tokens.TryGetValue(scope, out Token? token) && !Equals(token.Header, sent) && token.ExpiresAt > time.GetUtcNow();
                if (!isRenewed)
                {
                    known ??= await credentials.FindAsync(credentialsName, cancellationToken).ConfigureAwait(false);
                    await FetchAsync(bearer, known, scope, cancellationToken).ConfigureAwait(false);
                }

                return true;
            }

            if (asked.Exists(challenge => challenge.Scheme == "basic") && known is { Username.Length: > 0 })
            {
                _basic = Basic(known);
                return true;
            }

            return false;
        }
        finally
        {
            _lock.Release();
        }
    }

    /// <summary>Refuses where a host says that the token is right and the rights are not.</summary>
    public static void CheckScope(IEnumerable<string> challenges, string scope)
    {
        foreach (Challenge challenge in challenges.SelectMany(Challenge.Parse))
        {
            CheckScope(challenge, scope);
        }
    }

    public void Dispose() => _lock.Dispose();

    private static void CheckScope(Challenge challenge, string scope)
    {
        if (challenge["error"] == "insufficient_scope")
        {
            string deed = scope.Split(' ')[0].EndsWith("push", StringComparison.Ordinal) ? "push" : "pull";
            throw new RefusedException(
                Error.Unknown($"{deed} access denied, repository does not exist or may require "
                    + "authorization: server message: insufficient_scope: authorization failed"),
                new AccessDeniedException());
        }
    }

    private static AuthenticationHeaderValue Basic(Credentials known) =>
        new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{known.Username}:{known.Secret}")));

    private async Task<AuthenticationHeaderValue> FetchAsync(
        Challenge challenge, Credentials? known, string scope, CancellationToken cancellationToken)
    {
        if (!Uri.TryCreate(challenge["realm"], UriKind.Absolute, out Uri? realm) || realm.Scheme is not ("http" or "https"))
        {
            throw Refuse(known, $"invalid token auth challenge realm: \"{challenge["realm"]}\"");
        }

        if (known is not null && realm.Scheme == "http" && host.Endpoint.Scheme == "https" && !host.FallsBackToHttp)
        {
            throw Refuse(known, $"credentials are not sent over plain http to {realm.Authority}");
        }

        // An answer to a HEAD may lack scopes, and one for a mirror may name others: ask for both.
        IEnumerable<string> scopes = challenge["scope"].Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Concat(scope.Split(' ')).Distinct(StringComparer.Ordinal);
        TokenResponse answer;
        try
        {
            using HttpRequestMessage request = Request(realm, challenge["service"], scopes, known);
            using HttpResponseMessage response = await transport.SendAsync(request, cancellationToken).ConfigureAwait(false);
            answer = await ReadAsync(request, response, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException)
        {
            throw Refuse(known, Refusals.NoAnswer(HttpMethod.Get, realm, failure).Error.Message);
        }
        catch (RefusedException refused)
        {
            throw Refuse(known, refused.Error.Message);
        }

        string? text = string.IsNullOrEmpty(answer.Token) ? answer.AccessToken : answer.Token;
        if (string.IsNullOrEmpty(text) || text.AsSpan().ContainsAnyInRange('\0', ' '))
        {
            throw Refuse(known, "authorization server did not include a token in the response");
        }

        TimeSpan life = answer.ExpiresIn is > 0 and < int.MaxValue ? TimeSpan.FromSeconds(answer.ExpiresIn.Value) : LifeDefault;
        TimeSpan margin = life > LifeMargin * 2 ? LifeMargin : TimeSpan.Zero;
        var header = new AuthenticationHeaderValue("Bearer", text);
        _tokens[scope] = new Token(header, time.GetUtcNow() + life - margin);
        return header;
    }

    private static RefusedException Refuse(Credentials? known, string cause) =>
        new(Error.Unknown($"failed to authorize: failed to fetch {(known is null ? "anonymous" : "oauth")} token: {cause}"));

    private static HttpRequestMessage Request(Uri realm, string service, IEnumerable<string> scopes, Credentials? known)
    {
        if (known?.IdentityToken is { } identity)
        {
            return new HttpRequestMessage(HttpMethod.Post, realm)
            {
                Content = new FormUrlEncodedContent(new Dictionary<string, string>
                {
                    ["grant_type"] = "refresh_token",
                    ["service"] = service,
                    ["client_id"] = "containerd-client",
                    ["scope"] = string.Join(' ', scopes),
                    ["refresh_token"] = identity,
                }),
            };
        }

        var query = new StringBuilder(realm.Query.TrimStart('?'));
        void Add(string name, string value) =>
            query.Append(query.Length == 0 ? "" : "&").Append(name).Append('=').Append(Uri.EscapeDataString(value));
        if (service.Length > 0)
        {
            Add("service", service);
        }

        foreach (string scope in scopes)
        {
            Add("scope", scope);
        }

        var request = new HttpRequestMessage(HttpMethod.Get, new UriBuilder(realm) { Query = query.ToString(), UserName = "", Password = "" }.Uri);
        request.Headers.Authorization = known is null ? null : Basic(known);
        return request;
    }

    private async Task<TokenResponse> ReadAsync(HttpRequestMessage request, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.StatusCode != HttpStatusCode.OK)
        {
            throw Refusals.UnexpectedStatus(request.Method, request.RequestUri!, response.StatusCode);
        }

        byte[] body = await BodyReader.ReadAllAsync(response, settings.TokenBytesMax, settings.IdleTimeout, time, cancellationToken)
            .ConfigureAwait(false);
        try
        {
            return JsonSerializer.Deserialize(body, TokenJson.Default.TokenResponse) ?? new TokenResponse();
        }
        catch (JsonException)
        {
            // The parser's text may quote the token.
            throw new RefusedException(Error.Unknown("unable to decode token response"));
        }
    }
}
