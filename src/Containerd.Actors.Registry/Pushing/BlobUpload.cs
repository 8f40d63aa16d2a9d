// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Net;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Registry.Http;

namespace Containerd.Actors.Registry.Pushing;

/// <summary>One blob on its way to a host: sent whole, and after a break from where the host says that it has come.</summary>
/// <remarks>
/// <code>
/// POST --201 (mounted)--> done
///   +----202--> PUT all --2xx--> done
///                 |  broken
///                 +--> GET upload --range--> PATCH the rest --> PUT nothing --> done
///                            +------no range--> POST
/// </code>
/// OCI distribution-spec, "Pushing blobs".
/// </remarks>
internal sealed class BlobUpload(
    HostConnection connection,
    string repository,
    Descriptor blob,
    Func<long, Stream> open,
    Action<long> progress,
    RegistrySettings settings,
    TimeProvider time)
{
    // An attempt that moved this many bytes has shown that going on is worth while.
    private const long BytesOfProgress = 1024 * 1024;

    // Asking first costs a round trip, and spares the bytes that a host would refuse unread.
    private const long AskFirstBytes = 1024 * 1024;

    private readonly string _uploads = $"{repository}/blobs/uploads/";
    private long _sent;
    private bool _isMounted;

    /// <summary>Brings the blob there; true when the host mounted it from another repository instead.</summary>
    /// <param name="from">A repository to mount from; null for none.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<bool> RunAsync(string? from, CancellationToken cancellationToken)
    {
        Uri? location = from is null ? null : await TryMountAsync(from, cancellationToken).ConfigureAwait(false);
        if (_isMounted)
        {
            return true;
        }

        location ??= await BeginAsync(cancellationToken).ConfigureAwait(false);
        long offset = 0;
        for (int attempt = 1; ; attempt++)
        {
            long before = _sent = offset;
            Exception failure;
            try
            {
                (HttpResponseMessage last, HostRequest request) = await SendAsync(location, offset, cancellationToken).ConfigureAwait(false);
                using HttpResponseMessage answer = last;
                if (answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.Created or HttpStatusCode.NoContent or HttpStatusCode.Accepted)
                {
                    Refusals.CheckDigest(answer, blob.Digest);
                    return false;
                }

                RefusedException refused = Refusals.UnexpectedStatus(request.Method, connection.AddressOf(request), answer.StatusCode);
                if (!HostConnection.IsWorthRetry(answer.StatusCode) && answer.StatusCode != HttpStatusCode.RequestedRangeNotSatisfiable)
                {
                    throw refused;
                }

                failure = refused;
            }
            catch (RefusedException broken) when (broken.InnerException is HttpRequestException or IOException or OperationCanceledException
                && !cancellationToken.IsCancellationRequested)
            {
                failure = broken;
            }

            attempt = _sent - before >= BytesOfProgress ? 1 : attempt;
            if (attempt >= settings.AttemptsMax)
            {
                throw failure;
            }

            await Task.Delay(HostConnection.Backoff(settings, attempt), time, cancellationToken).ConfigureAwait(false);
            (location, offset) = await ResumeAsync(location, cancellationToken).ConfigureAwait(false);
        }
    }

    // Another repository may be closed to this caller, and a host may not know mounting: neither is a reason not to push.
    private async Task<Uri?> TryMountAsync(string from, CancellationToken cancellationToken)
    {
        var request = new HostRequest(HttpMethod.Post, _uploads, "*/*")
        {
            Query = $"mount={Uri.EscapeDataString(blob.Digest.ToString())}&from={Uri.EscapeDataString(from)}",
            FurtherScope = $"repository:{from}:pull",
            Body = static () => new ByteArrayContent([]),
        };
        try
        {
            using HttpResponseMessage response = await connection.SendAsync(request, cancellationToken).ConfigureAwait(false);
            _isMounted = response.StatusCode == HttpStatusCode.Created;
            return response.StatusCode == HttpStatusCode.Accepted ? LocationOf(response) : null;
        }
        catch (RefusedException refused) when (refused.InnerException is AccessDeniedException)
        {
            return null;
        }
    }

    private async Task<Uri> BeginAsync(CancellationToken cancellationToken)
    {
        var request = new HostRequest(HttpMethod.Post, _uploads, "*/*") { Body = static () => new ByteArrayContent([]) };
        using HttpResponseMessage response = await connection.SendAsync(request, cancellationToken).ConfigureAwait(false);
        return response.StatusCode is HttpStatusCode.OK or HttpStatusCode.Accepted or HttpStatusCode.NoContent
            ? LocationOf(response)
            : throw Refusals.UnexpectedStatus(request.Method, connection.AddressOf(request), response.StatusCode);
    }

    private async Task<(HttpResponseMessage Answer, HostRequest Request)> SendAsync(Uri location, long offset, CancellationToken cancellationToken)
    {
        if (offset > 0 && offset < blob.Size)
        {
            HostRequest rest = At(location, HttpMethod.Patch) with { Body = () => Body(offset, (offset, blob.Size - offset)) };
            HttpResponseMessage patched = await connection.SendAsync(rest, cancellationToken).ConfigureAwait(false);
            if (patched.StatusCode is not (HttpStatusCode.Accepted or HttpStatusCode.NoContent or HttpStatusCode.OK or HttpStatusCode.Created))
            {
                return (patched, rest);
            }

            using (patched)
            {
                location = patched.Headers.Location is null ? location : LocationOf(patched);
            }

            offset = blob.Size;
        }

        HostRequest last = At(Closing(location), HttpMethod.Put) with { Body = () => Body(offset, null) };
        return (await connection.SendAsync(last, cancellationToken).ConfigureAwait(false), last);
    }

    // How far the host has come; one that does not say is begun with anew.
    private async Task<(Uri Location, long Offset)> ResumeAsync(Uri location, CancellationToken cancellationToken)
    {
        try
        {
            HostRequest request = At(location, HttpMethod.Get) with { IsRetried = true };
            using HttpResponseMessage status = await connection.SendAsync(request, cancellationToken).ConfigureAwait(false);
            if (status.StatusCode == HttpStatusCode.NoContent && Stored(status) is var stored && stored > 0 && stored <= blob.Size)
            {
                return (status.Headers.Location is null ? location : LocationOf(status), stored);
            }
        }
        catch (RefusedException refused) when (refused.InnerException is HttpRequestException or IOException)
        {
            // The place of the upload is gone; the host itself may still be there.
        }

        return (await BeginAsync(cancellationToken).ConfigureAwait(false), 0);
    }

    // "0-N" names the last byte; nothing and one byte look the same, and beginning anew is right for both.
    private static long Stored(HttpResponseMessage status) =>
        status.Headers.TryGetValues("Range", out IEnumerable<string>? values) || status.Content.Headers.TryGetValues("Range", out values)
            ? long.TryParse(values.First().Split('-')[^1], NumberStyles.None, CultureInfo.InvariantCulture, out long last) && last > 0 ? last + 1 : 0
            : 0;

    private UploadContent Body(long offset, (long From, long Size)? range) => UploadContent.Of(
        () => open(offset),
        blob.Size - offset,
        sent =>
        {
            _sent = offset + sent;
            progress(_sent);
        },
        range);

    private HostRequest At(Uri location, HttpMethod method) =>
        new(method, _uploads, "*/*") { Location = location, IsRetried = false, AsksFirst = method != HttpMethod.Get && blob.Size > AskFirstBytes };

    private Uri Closing(Uri location) => new UriBuilder(location)
    {
        Query = $"{location.Query.TrimStart('?')}{(location.Query.Length > 1 ? "&" : "")}digest={Uri.EscapeDataString(blob.Digest.ToString())}",
    }.Uri;

    private static Uri LocationOf(HttpResponseMessage response)
    {
        Uri asked = response.RequestMessage!.RequestUri!;
        if (response.Headers.Location is not { } location)
        {
            throw new RefusedException(Error.Unknown($"{Refusals.Text(asked)}: the answer names no place for the upload"));
        }

        var absolute = new Uri(asked, location);
        return absolute.Scheme is "http" or "https"
            ? new UriBuilder(absolute) { UserName = "", Password = "", Fragment = "" }.Uri
            : throw new RefusedException(Error.Unknown($"unable to parse location {Refusals.Text(absolute)}"));
    }
}
