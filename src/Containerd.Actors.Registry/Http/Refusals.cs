// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Http.Headers;
using Containerd.Actors.Protocol.Errors;

namespace Containerd.Actors.Registry.Http;

/// <summary>Says what went wrong with a request in the words that containerd's users know.</summary>
internal static class Refusals
{
    /// <summary>The address without its query: signed addresses of storage hold secrets there.</summary>
    public static string Text(Uri address) => address.GetComponents(
        UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped);

    /// <summary>A status that the protocol did not lead to expect.</summary>
    public static RefusedException UnexpectedStatus(HttpMethod method, Uri address, HttpStatusCode status)
    {
        // The standard words, not the peer's.
        using var words = new HttpResponseMessage(status);
        string text = $"unexpected status from {method} request to {Text(address)}: {(int)status} {words.ReasonPhrase}".TrimEnd();
        return new RefusedException(Error.Unknown(text));
    }

    /// <summary>A request that got no answer.</summary>
    public static RefusedException NoAnswer(HttpMethod method, Uri address, Exception failure)
    {
        string verb = method.Method[..1] + method.Method[1..].ToLowerInvariant();
        return new RefusedException(
            Error.Unknown($"failed to do request: {verb} \"{Text(address)}\": {Cause(failure, address)}"), failure);
    }

    private static string Cause(Exception failure, Uri address)
    {
        string dial = $"dial tcp {address.Host}:{address.Port}";
        for (Exception? at = failure; at is not null; at = at.InnerException)
        {
            switch (at)
            {
                case CertificateRejectedException rejected:
                    return $"tls: failed to verify certificate: x509: {rejected.Message}";
                case System.Net.Sockets.SocketException { SocketErrorCode: System.Net.Sockets.SocketError.ConnectionRefused }:
                    return $"{dial}: connect: connection refused";
                case System.Net.Sockets.SocketException { SocketErrorCode: System.Net.Sockets.SocketError.ConnectionReset }:
                    return "read: connection reset by peer";
                case System.Net.Sockets.SocketException { SocketErrorCode: System.Net.Sockets.SocketError.HostNotFound
                    or System.Net.Sockets.SocketError.TryAgain or System.Net.Sockets.SocketError.NoData }:
                    return $"dial tcp: lookup {address.Host}: no such host";
                case System.Net.Sockets.SocketException { SocketErrorCode: System.Net.Sockets.SocketError.NetworkUnreachable }:
                    return $"{dial}: connect: network is unreachable";
                case System.Net.Sockets.SocketException { SocketErrorCode: System.Net.Sockets.SocketError.HostUnreachable }:
                    return $"{dial}: connect: no route to host";
                case HeaderTimeoutException:
                    return "net/http: timeout awaiting response headers";
                case TimeoutException or OperationCanceledException:
                    return $"{dial}: i/o timeout";
                default:
                    break;
            }
        }

        // The outermost exception says least, so it speaks only when nothing inside of it does.
        return (failure as HttpRequestException)?.HttpRequestError switch
        {
            HttpRequestError.SecureConnectionError => "tls: handshake failure",
            HttpRequestError.ResponseEnded => "EOF",
            { } other => $"{other}",
            null => failure.Message,
        };
    }

    /// <summary>The digest under which the peer knows what was asked for; null when it does not say.</summary>
    public static string? DigestOf(HttpResponseMessage response) =>
        response.Headers.TryGetValues("Docker-Content-Digest", out IEnumerable<string>? values) ? values.First() : null;

    /// <summary>Refuses an answer to a push that names something else than what was sent.</summary>
    public static void CheckDigest(HttpResponseMessage response, Oci.Images.Digest expected)
    {
        if (DigestOf(response) is { } actual && actual != expected.ToString())
        {
            throw new RefusedException(Error.Unknown($"got digest {actual}, expected {expected}"));
        }
    }

    /// <summary>How long the peer asks to wait; null when it does not say.</summary>
    public static TimeSpan? RetryAfter(HttpResponseHeaders headers, DateTimeOffset now)
    {
        TimeSpan? wait = headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } => date - now,
            _ => null,
        };
        return wait < TimeSpan.Zero ? TimeSpan.Zero : wait;
    }
}

/// <summary>A host knows who asks and does not let them.</summary>
internal sealed class AccessDeniedException() : Exception("authorization failed");

/// <summary>No header came in time.</summary>
internal sealed class HeaderTimeoutException() : IOException("no response header in time");

/// <summary>A body brought nothing for too long.</summary>
internal sealed class IdleTimeoutException() : IOException("i/o timeout: body was idle");

/// <summary>The certificate of a host is not trusted.</summary>
internal sealed class CertificateRejectedException(string reason) : Exception(reason);
