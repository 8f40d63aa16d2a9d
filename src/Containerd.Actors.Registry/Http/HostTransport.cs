// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Registry.Hosts;

namespace Containerd.Actors.Registry.Http;

/// <summary>The connections to one host: TLS as its hosts.toml says, one request and one response at a time, nothing followed, nothing retried.</summary>
internal sealed class HostTransport : IDisposable
{
    private readonly HttpMessageInvoker _invoker;
    private readonly TimeSpan _headerTimeout;
    private readonly TimeProvider _time;
    private readonly string _userAgent;
    private readonly X509Certificate2Collection _authorities = [];
    private readonly X509Certificate2Collection _clients = [];
    private string? _rejection;

    /// <summary>Reads the host's certificates.</summary>
    /// <exception cref="RefusedException">A certificate file cannot be read.</exception>
    public HostTransport(RegistryHost host, RegistrySettings settings, TimeProvider time)
    {
        _headerTimeout = settings.HeaderTimeout;
        _time = time;
        _userAgent = settings.UserAgent;
        LoadCertificates(host);
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = host.DialTimeout ?? settings.ConnectTimeout,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
            MaxResponseHeadersLength = 64,
            UseProxy = !HostsDirectory.IsLocalhost(host.Authority),
        };
        handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
            host.SkipsVerify || IsTrusted(certificate, chain, errors);
        if (_clients.Count > 0)
        {
            handler.SslOptions.ClientCertificates = _clients;
            handler.SslOptions.LocalCertificateSelectionCallback = (_, _, _, _, _) => _clients[0];
        }

        _invoker = new HttpMessageInvoker(handler);
    }

    /// <summary>Sends one request and reads the header of its response.</summary>
    /// <exception cref="HttpRequestException">No response; the cause is among the inner exceptions.</exception>
    /// <exception cref="HeaderTimeoutException">No response in time.</exception>
    public async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(_headerTimeout, _time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        request.Headers.TryAddWithoutValidation("User-Agent", _userAgent);
        if (request.Content is UploadContent upload)
        {
            // The time to answer begins again with each piece of the body that went out.
            upload.Sent = () => timeout.CancelAfter(_headerTimeout);
        }

        try
        {
            return await _invoker.SendAsync(request, both.Token).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is OperationCanceledException or HttpRequestException or IOException
            && timeout.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new HeaderTimeoutException();
        }
        catch (HttpRequestException failure) when (Interlocked.Exchange(ref _rejection, null) is { } reason
            && failure.HttpRequestError == HttpRequestError.SecureConnectionError)
        {
            throw new HttpRequestException(
                HttpRequestError.SecureConnectionError, failure.Message, new CertificateRejectedException(reason));
        }
    }

    /// <summary>True when the peer answered a TLS greeting with something else, as a server of plain http does.</summary>
    public static bool IsNoTls(HttpRequestException failure)
    {
        if (failure.HttpRequestError != HttpRequestError.SecureConnectionError)
        {
            return false;
        }

        for (Exception? at = failure; at is not null; at = at.InnerException)
        {
            if (at is CertificateRejectedException)
            {
                return false;
            }
        }

        return failure.InnerException is AuthenticationException or IOException;
    }

    public void Dispose()
    {
        _invoker.Dispose();
        foreach (X509Certificate2 certificate in _authorities.Concat(_clients))
        {
            certificate.Dispose();
        }
    }

    private void LoadCertificates(RegistryHost host)
    {
        string file = "";
        try
        {
            foreach (string path in host.AuthorityFiles)
            {
                file = path;
                _authorities.ImportFromPemFile(path);
            }

            foreach ((string certificate, string? key) in host.ClientCertificates)
            {
                file = certificate;
                _clients.Add(X509Certificate2.CreateFromPemFile(certificate, key));
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new RefusedException(Error.Invalid($"failed to load certificate {file}: {failure.Message}"), failure);
        }
    }

    // The system's authorities first, then the host's own: the file adds trust, it does not take any away.
    private bool IsTrusted(X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (errors == SslPolicyErrors.None)
        {
            return true;
        }

        if (certificate is null || errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable))
        {
            _rejection = "no certificate";
            return false;
        }

        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
        {
            _rejection = "certificate is not valid for the host";
            return false;
        }

        if (_authorities.Count > 0 && IsSignedByAuthorities(certificate, chain))
        {
            return true;
        }

        bool isTimed = chain?.ChainStatus.Any(status => status.Status.HasFlag(X509ChainStatusFlags.NotTimeValid)) == true;
        _rejection = isTimed ? "certificate has expired or is not yet valid" : "certificate signed by unknown authority";
        return false;
    }

    private bool IsSignedByAuthorities(X509Certificate certificate, X509Chain? presented)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(_authorities);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid("1.3.6.1.5.5.7.3.1"));
        if (presented is not null)
        {
            chain.ChainPolicy.ExtraStore.AddRange(presented.ChainPolicy.ExtraStore);
        }

        using var leaf = X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
        return chain.Build(leaf);
    }
}
