// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Client.Connections;
using Containerd.Services.Content.V1;
using Grpc.Core;

namespace Containerd.Actors.Client.Contents;

/// <summary>Reads blobs: small ones, such as manifests and image configurations, as a whole.</summary>
public static class BlobReader
{
    /// <summary>A bound for manifests and configurations, in bytes: registries refuse larger ones.</summary>
    public const int DocumentBytesMax = 8 * 1024 * 1024;

    /// <summary>Reads the blob with this digest.</summary>
    /// <exception cref="RpcException">The blob is missing, or the daemon failed.</exception>
    /// <exception cref="InvalidDataException">The blob is longer than <paramref name="bytesMax"/>.</exception>
    public static async Task<byte[]> ReadAsync(
        ContainerdConnection connection, string digest, CancellationToken cancellation, int bytesMax = DocumentBytesMax)
    {
        ArgumentNullException.ThrowIfNull(connection);
        using AsyncServerStreamingCall<ReadContentResponse> call =
            connection.Content.Read(new ReadContentRequest { Digest = digest }, cancellationToken: cancellation);
        using var bytes = new MemoryStream();
        await foreach (ReadContentResponse chunk in call.ResponseStream.ReadAllAsync(cancellation).ConfigureAwait(false))
        {
            if (bytes.Length + chunk.Data.Length > bytesMax)
            {
                throw new InvalidDataException($"content {digest}: longer than {bytesMax} bytes");
            }

            bytes.Write(chunk.Data.Span);
        }

        return bytes.ToArray();
    }

    /// <summary>Reads the first bytes of the blob with this digest; fewer when it has no more.</summary>
    /// <exception cref="RpcException">The blob is missing, or the daemon failed.</exception>
    public static async Task<byte[]> ReadStartAsync(ContainerdConnection connection, string digest, int count, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(connection);
        using AsyncServerStreamingCall<ReadContentResponse> call = connection.Content.Read(
            new ReadContentRequest { Digest = digest, Size = count }, cancellationToken: cancellation);
        using var bytes = new MemoryStream();
        await foreach (ReadContentResponse chunk in call.ResponseStream.ReadAllAsync(cancellation).ConfigureAwait(false))
        {
            bytes.Write(chunk.Data.Span);
        }

        return bytes.ToArray();
    }

    /// <summary>Copies the blob with this digest into a stream.</summary>
    /// <exception cref="RpcException">The blob is missing, or the daemon failed.</exception>
    public static async Task CopyAsync(ContainerdConnection connection, string digest, Stream target, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(connection);
        ArgumentNullException.ThrowIfNull(target);
        using AsyncServerStreamingCall<ReadContentResponse> call =
            connection.Content.Read(new ReadContentRequest { Digest = digest }, cancellationToken: cancellation);
        await foreach (ReadContentResponse chunk in call.ResponseStream.ReadAllAsync(cancellation).ConfigureAwait(false))
        {
            await target.WriteAsync(chunk.Data.Memory, cancellation).ConfigureAwait(false);
        }
    }
}
