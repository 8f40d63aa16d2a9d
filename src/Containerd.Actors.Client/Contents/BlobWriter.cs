// SPDX-License-Identifier: Apache-2.0

using System.Security.Cryptography;
using Containerd.Actors.Client.Connections;
using Containerd.Services.Content.V1;
using Google.Protobuf;
using Grpc.Core;

namespace Containerd.Actors.Client.Contents;

/// <summary>Writes blobs into the daemon's content store.</summary>
public static class BlobWriter
{
    private const int ChunkBytes = 1024 * 1024;

    /// <summary>Writes all bytes of a source and answers their digest and number; content that is there already is left as it is.</summary>
    /// <param name="connection">The daemon; its lease keeps the blob.</param>
    /// <param name="reference">Name of the upload.</param>
    /// <param name="source">The bytes.</param>
    /// <param name="labels">Labels of the blob; they are set on one that is there already, too.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="RpcException">The daemon refused.</exception>
    public static async Task<(string Digest, long Size)> WriteAsync(
        ContainerdConnection connection,
        string reference,
        Stream source,
        IReadOnlyDictionary<string, string> labels,
        CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(connection);
        ArgumentNullException.ThrowIfNull(source);
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using AsyncDuplexStreamingCall<WriteContentRequest, WriteContentResponse> call = connection.Content.Write(cancellationToken: cancellation);
        await ExchangeAsync(call, new WriteContentRequest { Action = WriteAction.Stat, Ref = reference }, cancellation).ConfigureAwait(false);
        byte[] chunk = new byte[ChunkBytes];
        long size = 0;
        for (int count; (count = await source.ReadAtLeastAsync(chunk, chunk.Length, throwOnEndOfStream: false, cancellation).ConfigureAwait(false)) > 0;)
        {
            hash.AppendData(chunk, 0, count);

            // A write at the start begins anew, whatever an earlier attempt left.
            await ExchangeAsync(
                call,
                new WriteContentRequest { Action = WriteAction.Write, Ref = reference, Offset = size, Data = ByteString.CopyFrom(chunk, 0, count) },
                cancellation).ConfigureAwait(false);
            size += count;
        }

        string digest = $"sha256:{Convert.ToHexStringLower(hash.GetHashAndReset())}";
        var commit = new WriteContentRequest { Action = WriteAction.Commit, Ref = reference, Total = size, Offset = size, Expected = digest };
        foreach ((string name, string value) in labels)
        {
            commit.Labels[name] = value;
        }

        try
        {
            await ExchangeAsync(call, commit, cancellation).ConfigureAwait(false);
        }
        catch (RpcException exists) when (exists.StatusCode == StatusCode.AlreadyExists)
        {
            await LabelAsync(connection, digest, labels, cancellation).ConfigureAwait(false);
        }

        return (digest, size);
    }

    private static async Task LabelAsync(
        ContainerdConnection connection, string digest, IReadOnlyDictionary<string, string> labels, CancellationToken cancellation)
    {
        if (labels.Count == 0)
        {
            return;
        }

        var update = new UpdateRequest { Info = new Info { Digest = digest }, UpdateMask = new Google.Protobuf.WellKnownTypes.FieldMask() };
        foreach ((string name, string value) in labels)
        {
            update.Info.Labels[name] = value;
            update.UpdateMask.Paths.Add($"labels.{name}");
        }

        await connection.Content.UpdateAsync(update, cancellationToken: cancellation).ConfigureAwait(false);
    }

    private static async Task ExchangeAsync(
        AsyncDuplexStreamingCall<WriteContentRequest, WriteContentResponse> call, WriteContentRequest request, CancellationToken cancellation)
    {
        await call.RequestStream.WriteAsync(request, cancellation).ConfigureAwait(false);
        if (!await call.ResponseStream.MoveNext(cancellation).ConfigureAwait(false))
        {
            throw new RpcException(new global::Grpc.Core.Status(StatusCode.Unavailable, $"upload {request.Ref}: the daemon ended it"));
        }
    }
}
