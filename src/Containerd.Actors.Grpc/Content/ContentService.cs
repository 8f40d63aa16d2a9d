// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Content;
using Containerd.Actors.Core.Filters;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Grpc.Calls;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Content;
using Containerd.Actors.Protocol.Errors;
using Containerd.Services.Content.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Containerd.Actors.Grpc.Content;

/// <summary>Blobs as a namespace sees them, and the uploads that make them.</summary>
/// <remarks>Not derived from the generated class, whose <c>Write</c> takes other messages than <see cref="UploadMessage"/>.</remarks>
/// <param name="tree">The supervision tree.</param>
/// <param name="reader">Reads bytes; whether a caller may is decided here, by the namespace's records.</param>
[BindServiceMethod(typeof(ContentService), nameof(BindService))]
public class ContentService(Tree tree, IContentReader reader)
{
    private const int ListMessageMax = 100;
    private const int ReadMessageBytes = 1 << 20;

    /// <summary>Called by gRPC to learn the methods; it finds them on this class by name and parameters.</summary>
    public static void BindService(ServiceBinderBase binder, ContentService? service) =>
        Services.Content.V1.Content.BindService(new UploadBinder(binder), null);

    /// <summary>What is recorded of one blob.</summary>
    public virtual async Task<InfoResponse> Info(InfoRequest request, ServerCallContext context) =>
        new() { Info = ToWire(await FindAsync(context.Namespace(), request.Digest, context.CancellationToken).ConfigureAwait(false)) };

    /// <summary>Changes labels of a blob.</summary>
    public virtual async Task<UpdateResponse> Update(UpdateRequest request, ServerCallContext context)
    {
        if (request.Info is null)
        {
            throw new RefusedException(Error.Invalid("info is required"));
        }

        ContentCommands.Update update = new(
            context.Namespace(),
            ParseDigest(request.Info.Digest),
            Protocol.Values.Labels.From(request.Info.Labels),
            request.UpdateMask is null ? [] : [.. request.UpdateMask.Paths],
            context.Caller());
        return new UpdateResponse { Info = ToWire(await tree.AskAsync(update, context.CancellationToken).ConfigureAwait(false)) };
    }

    /// <summary>The blobs that filters let through.</summary>
    public virtual async Task List(ListContentRequest request, IServerStreamWriter<ListContentResponse> responseStream, ServerCallContext context)
    {
        FilterSet filter = FilterSet.Parse(request.Filters);
        NamespaceState state = await StateAsync(context.Namespace(), context.CancellationToken).ConfigureAwait(false);
        ListContentResponse message = new();
        foreach (ContentRecord content in state.Content.Values)
        {
            if (!filter.Matches(Adaptors.Of(content)))
            {
                continue;
            }

            message.Info.Add(ToWire(content));
            if (message.Info.Count == ListMessageMax)
            {
                await responseStream.WriteAsync(message, context.CancellationToken).ConfigureAwait(false);
                message = new ListContentResponse();
            }
        }

        if (message.Info.Count > 0)
        {
            await responseStream.WriteAsync(message, context.CancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Takes a blob from the namespace's sight.</summary>
    public virtual async Task<Empty> Delete(DeleteContentRequest request, ServerCallContext context)
    {
        await tree.AskAsync(
            new ContentCommands.Remove(context.Namespace(), ParseDigest(request.Digest), context.Caller()), context.CancellationToken)
            .ConfigureAwait(false);
        return new Empty();
    }

    /// <summary>Bytes of a blob.</summary>
    public virtual async Task Read(ReadContentRequest request, IServerStreamWriter<ReadContentResponse> responseStream, ServerCallContext context)
    {
        ContentRecord content = await FindAsync(context.Namespace(), request.Digest, context.CancellationToken).ConfigureAwait(false);
        long start = Math.Max(request.Offset, 0);
        if (start > content.Size)
        {
            throw new RefusedException(new Error(ErrorKind.OutOfRange, $"read past object length {content.Size} bytes"));
        }

        long left = request.Size <= 0 ? content.Size - start : Math.Min(request.Size, content.Size - start);
        Stream blob = reader.OpenRead(content.Digest, start);
        byte[] buffer = ContentBuffers.Rent((int)Math.Min(ReadMessageBytes, Math.Max(left, 1)));
        try
        {
            for (long offset = 0; left > 0;)
            {
                int wanted = (int)Math.Min(left, Math.Min(buffer.Length, ReadMessageBytes));
                int read = await blob.ReadAtLeastAsync(buffer.AsMemory(0, wanted), wanted, throwOnEndOfStream: false, context.CancellationToken)
                    .ConfigureAwait(false);
                if (read == 0)
                {
                    throw new RefusedException(new Error(ErrorKind.DataLoss, $"content digest {content.Digest}: shorter than recorded"));
                }

                // The message is written before the buffer is filled again, so that no copy is needed.
                ReadContentResponse message = new() { Offset = offset, Data = UnsafeByteOperations.UnsafeWrap(buffer.AsMemory(0, read)) };
                await responseStream.WriteAsync(message, context.CancellationToken).ConfigureAwait(false);
                offset += read;
                left -= read;
            }
        }
        finally
        {
            ContentBuffers.Return(buffer);
            await blob.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>One open upload.</summary>
    public virtual async Task<StatusResponse> Status(StatusRequest request, ServerCallContext context)
    {
        ImmutableArray<IngestState> found = await tree.AskAsync(new IngestCommands.List(context.Namespace()), context.CancellationToken)
            .ConfigureAwait(false);
        IngestState ingest = found.FirstOrDefault(candidate => candidate.Reference == request.Ref)
            ?? throw new RefusedException(Error.NotFound($"reference {request.Ref}"));
        return new StatusResponse { Status = ToWire(ingest) };
    }

    /// <summary>The open uploads that filters let through.</summary>
    public virtual async Task<ListStatusesResponse> ListStatuses(ListStatusesRequest request, ServerCallContext context)
    {
        FilterSet filter = FilterSet.Parse(request.Filters);
        ImmutableArray<IngestState> found = await tree.AskAsync(new IngestCommands.List(context.Namespace()), context.CancellationToken)
            .ConfigureAwait(false);
        ListStatusesResponse response = new();
        response.Statuses.AddRange(found
            .Where(ingest => filter.Matches(ReferenceOf(ingest)))
            .OrderBy(ingest => ingest.Reference, StringComparer.Ordinal)
            .Select(ToWire));
        return response;
    }

    /// <summary>Writes an upload and makes it a blob.</summary>
    public virtual Task Write(
        IAsyncStreamReader<UploadMessage> requestStream,
        IServerStreamWriter<WriteContentResponse> responseStream,
        ServerCallContext context) => new WriteSession(tree, requestStream, responseStream, context).RunAsync();

    /// <summary>Gives an upload up.</summary>
    public virtual async Task<Empty> Abort(AbortRequest request, ServerCallContext context)
    {
        await tree.AskAsync(new IngestCommands.Abort(context.Namespace(), request.Ref, context.Caller()), context.CancellationToken)
            .ConfigureAwait(false);
        return new Empty();
    }

    /// <summary>A digest of a request.</summary>
    /// <exception cref="RefusedException">The text is no digest.</exception>
    internal static Digest ParseDigest(string text) =>
        Digest.TryParse(text, out Digest digest) ? digest : throw new RefusedException(Error.Invalid($"\"{text}\" failed validation"));

    private Task<NamespaceState> StateAsync(string ns, CancellationToken cancellationToken) =>
        tree.AskAsync(new NamespaceQueries.GetState(ns), cancellationToken);

    private async Task<ContentRecord> FindAsync(string ns, string text, CancellationToken cancellationToken)
    {
        Digest digest = ParseDigest(text);
        NamespaceState state = await StateAsync(ns, cancellationToken).ConfigureAwait(false);
        return state.Content.GetValueOrDefault(digest) ?? throw new RefusedException(Error.NotFound($"content digest {digest}"));
    }

    private static FieldAdaptor ReferenceOf(IngestState ingest) => (IReadOnlyList<string> path, out string value) =>
    {
        value = ingest.Reference;
        return path is ["ref"];
    };

    private static Info ToWire(ContentRecord content)
    {
        Info info = new()
        {
            Digest = content.Digest.ToString(),
            Size = content.Size,
            CreatedAt = Timestamp.FromDateTimeOffset(content.CreatedAt),
            UpdatedAt = Timestamp.FromDateTimeOffset(content.UpdatedAt),
        };
        info.Labels.Add(content.Labels);
        return info;
    }

    private static Services.Content.V1.Status ToWire(IngestState ingest) => new()
    {
        Ref = ingest.Reference,
        Offset = ingest.Offset,
        Total = ingest.Total,
        StartedAt = Timestamp.FromDateTimeOffset(ingest.StartedAt),
        UpdatedAt = Timestamp.FromDateTimeOffset(ingest.UpdatedAt),
    };
}
