// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Storage.Content;
using Containerd.Services.Content.V1;
using Google.Protobuf;
using Grpc.Core;

namespace Containerd.Actors.Daemon.Proxies;

/// <summary>Blobs behind containerd's content API. Lanes call it, so it may block; each call ends by the plugin's deadline.</summary>
/// <remarks>
/// All namespaces share what the plugin holds, so it is told one namespace whoever asks: which blobs a namespace sees is recorded here.
/// </remarks>
internal sealed class ProxyBlobs(ProxyConnection connection) : IBlobs
{
    internal const string Namespace = "default";
    private const int MessageBytes = 1 << 20;

    private Content.ContentClient Plugin => connection.Client.Content;

    public long? TrySize(Digest digest)
    {
        try
        {
            InfoRequest request = new() { Digest = digest.ToString() };
            return Wait(connection.CallAsync(Namespace, "Info", options => Plugin.InfoAsync(request, options).ResponseAsync, CancellationToken.None)).Info.Size;
        }
        catch (RefusedException refused) when (refused.Error.Kind == ErrorKind.NotFound)
        {
            return null;
        }
    }

    public Stream OpenRead(Digest digest, long offset) => new ProxyBlobStream(connection, digest, Math.Max(offset, 0), this);

    public bool Delete(Digest digest)
    {
        try
        {
            DeleteContentRequest request = new() { Digest = digest.ToString() };
            Wait(connection.CallAsync(Namespace, "Delete", options => Plugin.DeleteAsync(request, options).ResponseAsync, CancellationToken.None));
            return true;
        }
        catch (RefusedException refused) when (refused.Error.Kind == ErrorKind.NotFound)
        {
            return false;
        }
    }

    public IEnumerable<(Digest Digest, long Size)> List() => Wait(connection.CallAsync(Namespace, "List", ListAsync, CancellationToken.None));

    public bool Publish(string file, Digest digest, long size) => Wait(PublishAsync(file, digest, size));

    private async Task<IEnumerable<(Digest Digest, long Size)>> ListAsync(CallOptions options)
    {
        SortedDictionary<Digest, long> found = [];
        using AsyncServerStreamingCall<ListContentResponse> call = Plugin.List(new ListContentRequest(), options);
        await foreach (ListContentResponse message in call.ResponseStream.ReadAllAsync())
        {
            foreach (Info info in message.Info)
            {
                if (Digest.TryParse(info.Digest, out Digest digest))
                {
                    found[digest] = info.Size;
                }
            }
        }

        return found.Select(static pair => (pair.Key, pair.Value));
    }

    private async Task<bool> PublishAsync(string file, Digest digest, long size)
    {
        // A name of its own: two uploads of one blob must not lock each other out, and the second finds that it is there.
        string reference = $"{digest}-{Guid.NewGuid():N}";
        FileStream bytes;
        try
        {
            bytes = new FileStream(file, new FileStreamOptions { Share = FileShare.ReadWrite | FileShare.Delete, BufferSize = 0 });
        }
        catch (Exception failure) when (failure is FileNotFoundException or DirectoryNotFoundException)
        {
            throw ContentStore.Removed(digest);
        }

        await using (bytes)
        {
            try
            {
                await WriteAsync(bytes, reference, digest, size);
                return true;
            }
            catch (RefusedException refused) when (refused.Error.Kind == ErrorKind.AlreadyExists)
            {
                return false;
            }
            catch (RefusedException)
            {
                await ForgetAsync(reference);
                throw;
            }
        }
    }

    private async Task WriteAsync(FileStream bytes, string reference, Digest digest, long size)
    {
        using CancellationTokenSource step = new();
        using AsyncDuplexStreamingCall<WriteContentRequest, WriteContentResponse> call = Plugin.Write(ProxyConnection.Stream(Namespace, step));
        byte[] buffer = new byte[Math.Min(size, MessageBytes)];
        for (long offset = 0; offset < size;)
        {
            int read = await bytes.ReadAtLeastAsync(buffer, (int)Math.Min(buffer.Length, size - offset), throwOnEndOfStream: false);
            WriteContentRequest write = new()
            {
                Action = WriteAction.Write,
                Ref = reference,
                Total = size,
                Expected = digest.ToString(),
                Offset = offset,
                Data = UnsafeByteOperations.UnsafeWrap(buffer.AsMemory(0, read)),
            };
            await AskAsync(call, step, write);
            offset += read;
        }

        WriteContentResponse committed = await AskAsync(call, step, new WriteContentRequest
        {
            Action = WriteAction.Commit,
            Ref = reference,
            Total = size,
            Expected = digest.ToString(),
            Offset = size,
        });
        if (committed.Digest != digest.ToString())
        {
            throw new RefusedException(new Error(ErrorKind.DataLoss, $"content {digest}: the plugin stored {committed.Digest}"));
        }
    }

    // One message is answered before the next one is made: its bytes lie in a buffer that is used again.
    private Task<WriteContentResponse> AskAsync(
        AsyncDuplexStreamingCall<WriteContentRequest, WriteContentResponse> call, CancellationTokenSource step, WriteContentRequest request) =>
        connection.StepAsync(
            async () =>
            {
                try
                {
                    await call.RequestStream.WriteAsync(request, step.Token);
                }
                catch (Exception ended) when (ended is InvalidOperationException or RpcException { StatusCode: StatusCode.OK })
                {
                    // The plugin ended the stream before it read this; why is in the answer.
                }

                return await call.ResponseStream.MoveNext(step.Token)
                    ? call.ResponseStream.Current
                    : throw new RpcException(new global::Grpc.Core.Status(StatusCode.Unknown, "the plugin ended the upload without an answer"));
            },
            "Write",
            step,
            CancellationToken.None);

    private async Task ForgetAsync(string reference)
    {
        try
        {
            AbortRequest request = new() { Ref = reference };
            await connection.CallAsync(Namespace, "Abort", options => Plugin.AbortAsync(request, options).ResponseAsync, CancellationToken.None);
        }
        catch (RefusedException)
        {
            // The plugin gives up uploads that nobody goes on with.
        }
    }

    private static T Wait<T>(Task<T> call) => call.GetAwaiter().GetResult();
}
