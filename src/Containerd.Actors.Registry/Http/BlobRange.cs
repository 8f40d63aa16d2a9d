// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Http.Headers;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Errors;

namespace Containerd.Actors.Registry.Http;

/// <summary>Finds the wanted byte in an answer to a ranged request.</summary>
/// <remarks>RFC 9110 §14: a server may ignore the range and send all.</remarks>
internal static class BlobRange
{
    /// <summary>How many bytes of the body lie before the offset.</summary>
    /// <exception cref="RefusedException">The answer is for another range or a blob of another size, or for all where a part must be.</exception>
    public static long Check(HttpResponseMessage response, Descriptor blob, long offset, bool mustBePart = false)
    {
        if (mustBePart && response.StatusCode != HttpStatusCode.PartialContent)
        {
            throw new RefusedException(Error.NotImplemented($"{blob.Digest}: the registry knows no ranges"));
        }

        if (response.StatusCode != HttpStatusCode.PartialContent)
        {
            return response.Content.Headers.ContentLength is { } length && length != blob.Size
                ? throw new RefusedException(Error.FailedPrecondition($"{blob.Digest}: failed size validation: {length} != {blob.Size}"))
                : offset;
        }

        ContentRangeHeaderValue? range = response.Content.Headers.ContentRange;
        if (range?.From is not { } from || from != offset || range.Unit != "bytes")
        {
            throw new RefusedException(Error.Unknown($"{blob.Digest}: unhandled content range in response: {range}"));
        }

        return range.Length is { } total && total != blob.Size
            ? throw new RefusedException(Error.FailedPrecondition($"{blob.Digest}: failed size validation: {total} != {blob.Size}"))
            : 0;
    }

    /// <summary>Reads on to the offset; an early end shows in the next read.</summary>
    public static async Task SkipAsync(BodyReader body, long count, CancellationToken cancellationToken)
    {
        var buffer = new byte[count == 0 ? 0 : 64 * 1024];
        while (count > 0)
        {
            int read = await body.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, count)), cancellationToken).ConfigureAwait(false);
            if (read == 0)
            {
                throw new HttpRequestException(HttpRequestError.ResponseEnded, "the body ended before the offset");
            }

            count -= read;
        }
    }
}
