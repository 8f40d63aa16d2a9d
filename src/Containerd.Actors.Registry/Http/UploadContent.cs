// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Http.Headers;

namespace Containerd.Actors.Registry.Http;

/// <summary>A body of known length that is read from its source while it is sent.</summary>
/// <param name="open">Opens the source at the first byte to send.</param>
/// <param name="length">Bytes to send.</param>
/// <param name="progress">Told how many bytes went out so far.</param>
internal sealed class UploadContent(Func<Stream> open, long length, Action<long> progress) : HttpContent
{
    private const int PieceBytes = 128 * 1024;

    /// <summary>Called for each piece that went out.</summary>
    public Action Sent { get; set; } = () => { };

    /// <summary>A body with the type that registries want for blobs; the range is that of the blob, for a part of one.</summary>
    public static UploadContent Of(Func<Stream> open, long length, Action<long> progress, (long From, long Size)? range = null)
    {
        var content = new UploadContent(open, length, progress);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        if (range is { } part)
        {
            // distribution-spec: "start-end" without a unit, unlike RFC 9110.
            content.Headers.TryAddWithoutValidation("Content-Range", $"{part.From}-{part.From + part.Size - 1}");
        }

        return content;
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        Stream source = open();
        await using (source.ConfigureAwait(false))
        {
            var piece = new byte[(int)Math.Min(PieceBytes, Math.Max(length, 1))];
            long sent = 0;
            while (sent < length)
            {
                int count = await source.ReadAsync(piece.AsMemory(0, (int)Math.Min(piece.Length, length - sent)), cancellationToken).ConfigureAwait(false);
                if (count == 0)
                {
                    throw new EndOfStreamException($"source ended {length - sent} bytes early");
                }

                await stream.WriteAsync(piece.AsMemory(0, count), cancellationToken).ConfigureAwait(false);
                sent += count;
                Sent();
                progress(sent);
            }
        }
    }

    protected override bool TryComputeLength(out long computed)
    {
        computed = length;
        return true;
    }
}
