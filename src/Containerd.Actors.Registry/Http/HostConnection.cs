// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Http.Headers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Registry.Authentication;
using Containerd.Actors.Registry.Hosts;

namespace Containerd.Actors.Registry.Http;

/// <summary>What to ask a host for.</summary>
/// <param name="Method">HEAD or GET; POST, PUT or PATCH with a body.</param>
/// <param name="Path">Below the host's endpoint, without a slash in front.</param>
/// <param name="Accept">The media types wanted.</param>
/// <param name="Offset">First byte wanted.</param>
/// <param name="IsLastHost">False when another host can be asked: then one that cannot be reached is not asked twice.</param>
internal sealed record HostRequest(HttpMethod Method, string Path, string Accept, long Offset = 0, bool IsLastHost = true)
{
    /// <summary>Behind the last byte wanted; null for all. Only part of the answer may come, and no more than the part.</summary>
    public long? End { get; init; }

    /// <summary>Makes the body, once for each time that it is sent; null for none.</summary>
    public Func<HttpContent>? Body { get; init; }

    /// <summary>Parameters behind the path, without a question mark.</summary>
    public string Query { get; init; } = "";

    /// <summary>A scope that is needed beside that of the repository; empty for none.</summary>
    public string FurtherScope { get; init; } = "";

    /// <summary>Where an upload goes on, in place of path and query: the host said so.</summary>
    public Uri? Location { get; init; }

    /// <summary>True to wait for the host's consent before the body is sent.</summary>
    public bool AsksFirst { get; init; }

    /// <summary>False when the caller knows better how to go on than by sending all again.</summary>
    public bool IsRetried { get; init; } = true;
}

/// <summary>Asks one host: with its headers and credentials, through redirects, again when it is worth it.</summary>
internal sealed class HostConnection : IDisposable
{
    private readonly RegistrySettings _settings;
    private readonly TimeProvider _time;
    private readonly HostTransport _transport;
    private readonly Authorizer _authorizer;
    private readonly string _scope;
    private readonly string _query;
    private volatile bool _isHttp;

    /// <param name="host">The host.</param>
    /// <param name="registry">The registry whose content is wanted, as references name it.</param>
    /// <param name="repository">The repository, for the scope of tokens.</param>
    /// <param name="credentials">Knows who asks.</param>
    /// <param name="settings">Limits.</param>
    /// <param name="time">The clock.</param>
    /// <param name="actions">What is done there, for the scope of tokens: <c>pull</c> or <c>pull,push</c>.</param>
    public HostConnection(
        RegistryHost host,
        string registry,
        string repository,
        ICredentialStore credentials,
        RegistrySettings settings,
        TimeProvider time,
        string actions = "pull")
    {
        Host = host;
        _settings = settings;
        _time = time;
        _scope = $"repository:{repository}:{actions}";
        bool isDockerHub = registry == "docker.io" && host.Authority == "registry-1.docker.io";
        bool isRegistry = isDockerHub || host.Authority == registry || host.Authority == new Uri($"{host.Endpoint.Scheme}://{registry}").Authority;
        _query = isRegistry ? "" : "ns=" + Uri.EscapeDataString(registry);
        _transport = new HostTransport(host, settings, time);
        _authorizer = new Authorizer(host, isRegistry ? registry : host.Authority, credentials, _transport, settings, time);
    }

    /// <summary>The host as configured.</summary>
    public RegistryHost Host { get; }

    /// <summary>Where a request goes.</summary>
    public Uri AddressOf(string path, string query = "")
    {
        string all = string.Join('&', new[] { _query, query }.Where(part => part.Length > 0));
        string text = $"{Host.Endpoint.AbsoluteUri.TrimEnd('/')}/{path}{(all.Length > 0 ? "?" : "")}{all}";
        return new Uri(_isHttp ? "http" + text[text.IndexOf(':', StringComparison.Ordinal)..] : text);
    }

    /// <summary>Where a request goes.</summary>
    public Uri AddressOf(HostRequest request) => request.Location ?? AddressOf(request.Path, request.Query);

    /// <summary>Asks until there is an answer; its status may be any but those that are worth another attempt.</summary>
    /// <exception cref="RefusedException">There is none.</exception>
    public async Task<HttpResponseMessage> SendAsync(HostRequest request, CancellationToken cancellationToken)
    {
        for (int attempt = 1; ; attempt++)
        {
            TimeSpan wait = Backoff(_settings, attempt);
            try
            {
                HttpResponseMessage response = await SendAuthorisedAsync(request, cancellationToken).ConfigureAwait(false);
                if (!request.IsRetried || !IsWorthRetry(response.StatusCode) || attempt >= _settings.AttemptsMax)
                {
                    return response;
                }

                wait = Refusals.RetryAfter(response.Headers, _time.GetUtcNow()) ?? wait;
                if (wait > _settings.RetryAfterMax)
                {
                    return response;
                }

                response.Dispose();
            }
            catch (Exception failure) when (failure is HttpRequestException or IOException
                || (failure is OperationCanceledException && !cancellationToken.IsCancellationRequested))
            {
                if (!request.IsRetried || attempt >= _settings.AttemptsMax || !request.IsLastHost || !IsWorthRetry(failure))
                {
                    throw Refusals.NoAnswer(request.Method, AddressOf(request), failure);
                }
            }

            await Task.Delay(wait, _time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>How long to wait behind this attempt, varied so that many pulls do not come back together.</summary>
    public static TimeSpan Backoff(RegistrySettings settings, int attempt)
    {
        double milliseconds = Math.Min(
            settings.BackoffFirst.TotalMilliseconds * Math.Pow(2, Math.Min(attempt - 1, 30)), settings.BackoffMax.TotalMilliseconds);
#pragma warning disable CA5394 // Jitter needs no secrecy.
        return TimeSpan.FromMilliseconds(milliseconds * (0.75 + (Random.Shared.NextDouble() / 2)));
#pragma warning restore CA5394
    }

    public void Dispose()
    {
        _authorizer.Dispose();
        _transport.Dispose();
    }

    /// <summary>True when the same request may be answered better a little later.</summary>
    public static bool IsWorthRetry(HttpStatusCode status) => status is HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout
        or HttpStatusCode.InternalServerError or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout;

    // A certificate that is not trusted now will not be in a second either.
    private static bool IsWorthRetry(Exception failure) => failure is not HttpRequestException { InnerException: CertificateRejectedException };

    private async Task<HttpResponseMessage> SendAuthorisedAsync(HostRequest request, CancellationToken cancellationToken)
    {
        string scope = request.FurtherScope.Length > 0 ? $"{_scope} {request.FurtherScope}" : _scope;
        for (bool isAnswered = false; ; isAnswered = true)
        {
            AuthenticationHeaderValue? authorization = await _authorizer.HeaderAsync(scope, cancellationToken).ConfigureAwait(false);
            HttpResponseMessage response = await FollowAsync(request, authorization, cancellationToken).ConfigureAwait(false);

            // Only the host itself may ask who is there; a place that it redirects to gets nothing.
            if (response.StatusCode != HttpStatusCode.Unauthorized
                || !IsSameOrigin(response.RequestMessage!.RequestUri!, AddressOf(request.Path)))
            {
                return response;
            }

            try
            {
                IEnumerable<string> challenges = response.Headers.TryGetValues("WWW-Authenticate", out IEnumerable<string>? values) ? values : [];
                if (isAnswered)
                {
                    Authorizer.CheckScope(challenges, scope);
                    return response;
                }

                if (!await _authorizer.AnswerAsync(challenges, authorization, scope, cancellationToken).ConfigureAwait(false))
                {
                    return response;
                }
            }
            catch
            {
                response.Dispose();
                throw;
            }

            response.Dispose();
        }
    }

    private async Task<HttpResponseMessage> FollowAsync(
        HostRequest request, AuthenticationHeaderValue? authorization, CancellationToken cancellationToken)
    {
        Uri origin = AddressOf(request.Path);
        Uri address = AddressOf(request);
        for (int redirects = 0; ; redirects++)
        {
            HttpResponseMessage response;
            try
            {
                response = await _transport.SendAsync(Message(request, address, origin, authorization), cancellationToken).ConfigureAwait(false);
            }
            catch (HttpRequestException failure) when (Host.FallsBackToHttp && !_isHttp && redirects == 0 && request.Location is null && HostTransport.IsNoTls(failure))
            {
                _isHttp = true;
                origin = AddressOf(request.Path);
                address = AddressOf(request);
                redirects = -1;
                continue;
            }

            if (!IsRedirect(response.StatusCode, request.Body is not null) || response.Headers.Location is not { } location)
            {
                return response;
            }

            response.Dispose();
            address = Next(address, location);
            if (redirects >= _settings.RedirectsMax)
            {
                throw new RefusedException(Error.Unknown(
                    $"failed to do request: {request.Method} \"{Refusals.Text(origin)}\": stopped after {_settings.RedirectsMax} redirects"));
            }
        }
    }

    // A body goes elsewhere only where the status says that the request stays as it is; with the others a client turns to GET.
    private static bool IsRedirect(HttpStatusCode status, bool hasBody) =>
        status is HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect
        || (!hasBody && status is (HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.SeeOther));

    private static Uri Next(Uri from, Uri location)
    {
        var next = new Uri(from, location);
        return next.Scheme is "http" or "https"
            ? new UriBuilder(next) { UserName = "", Password = "", Fragment = "" }.Uri
            : throw new RefusedException(Error.Unknown($"redirect from {Refusals.Text(from)} to unsupported protocol scheme \"{next.Scheme}\""));
    }

    private HttpRequestMessage Message(HostRequest request, Uri address, Uri origin, AuthenticationHeaderValue? authorization)
    {
        var message = new HttpRequestMessage(request.Method, address) { Content = request.Body?.Invoke() };
        message.Headers.TryAddWithoutValidation("Accept", request.Accept);
        message.Headers.ExpectContinue = request.AsksFirst ? true : null;
        message.Headers.Range = request.Offset > 0 || request.End is not null ? new RangeHeaderValue(request.Offset, request.End - 1) : null;

        // Credentials and the host's own headers are for the host that they were given for, and for no other port or scheme of it.
        if (IsSameOrigin(address, origin))
        {
            message.Headers.Authorization = authorization;
            foreach ((string name, string value) in Host.Headers)
            {
                message.Headers.TryAddWithoutValidation(name, value);
            }
        }

        return message;
    }

    private static bool IsSameOrigin(Uri left, Uri right) => left.Scheme == right.Scheme && left.Authority == right.Authority;
}
