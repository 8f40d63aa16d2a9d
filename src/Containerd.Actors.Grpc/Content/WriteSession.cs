// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Grpc.Calls;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Content;
using Containerd.Actors.Protocol.Errors;
using Containerd.Services.Content.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Containerd.Actors.Grpc.Content;

/// <summary>One stream of <c>Content.Write</c>: a request, an answer, and so on, until a commit or the client's end.</summary>
/// <remarks>The upload stays locked for as long as the stream lasts, and what was written can be resumed after it.</remarks>
internal sealed class WriteSession(
    Tree tree,
    IAsyncStreamReader<UploadMessage> requests,
    IServerStreamWriter<WriteContentResponse> responses,
    ServerCallContext context)
{
    private readonly string _namespace = context.Namespace();
    private readonly Caller _caller = context.Caller();
    private string _reference = "";
    private long _total;
    private Digest _expected;

    public async Task RunAsync()
    {
        if (!await requests.MoveNext(context.CancellationToken).ConfigureAwait(false))
        {
            return;
        }

        WriteContentRequest first = requests.Current.Request;
        if (first.Ref.Length == 0)
        {
            throw new RefusedException(Error.Invalid("first message must have a reference"));
        }

        _reference = first.Ref;
        _total = first.Total;
        _expected = first.Expected.Length == 0 ? default : ContentService.ParseDigest(first.Expected);
        await tree.AskAsync(new IngestCommands.Open(_namespace, _reference, _total, _expected, _caller), context.CancellationToken).ConfigureAwait(false);
        bool abort = false;
        try
        {
            do
            {
                UploadMessage message = requests.Current;
                WriteContentRequest request = message.Request;
                await CheckAsync(request, first).ConfigureAwait(false);
                WriteContentResponse response = await AnswerAsync(message).ConfigureAwait(false);

                // Only now does nobody read the data any more: after a wait that was given up the lane may still.
                message.Dispose();
                await responses.WriteAsync(response, context.CancellationToken).ConfigureAwait(false);
                if (request.Action == WriteAction.Commit)
                {
                    return;
                }
            }
            while (await requests.MoveNext(context.CancellationToken).ConfigureAwait(false));
        }
        catch (RefusedException refused) when (refused.Error.Kind == ErrorKind.AlreadyExists)
        {
            abort = true;
            throw;
        }
        finally
        {
            await CloseAsync(abort).ConfigureAwait(false);
        }
    }

    // The stream ends after the lock is given back, so that a client that opens the reference anew gets it.
    private async Task CloseAsync(bool abort)
    {
        try
        {
            await tree.AskAsync(new IngestCommands.Close(_namespace, _reference, abort), CancellationToken.None).ConfigureAwait(false);
        }
        catch (RefusedException)
        {
            // Whoever holds the lock gives it back late or with its end; what this stream answered is true all the same.
        }
    }

    private async Task CheckAsync(WriteContentRequest request, WriteContentRequest first)
    {
        if (request.Ref.Length > 0 && request.Ref != _reference)
        {
            throw new RefusedException(Error.Invalid($"ref mismatch: {request.Ref} != {_reference}"));
        }

        if (request.Total > 0)
        {
            if (_total > 0 && request.Total != _total)
            {
                throw new RefusedException(Error.Invalid($"commit size mismatch: {request.Total} != {_total}"));
            }

            _total = request.Total;
        }

        if (request.Expected.Length > 0 && !ReferenceEquals(request, first))
        {
            Digest expected = ContentService.ParseDigest(request.Expected);
            if (!_expected.IsEmpty && expected != _expected)
            {
                throw new RefusedException(Error.Invalid($"commit digest mismatch: {expected} != {_expected}"));
            }

            _expected = expected;
            if (request.Action != WriteAction.Commit)
            {
                NamespaceState state = await tree.AskAsync(new NamespaceQueries.GetState(_namespace), context.CancellationToken).ConfigureAwait(false);
                if (state.Content.ContainsKey(expected))
                {
                    throw new RefusedException(Error.AlreadyExists($"blob with expected digest {expected} exists"));
                }
            }
        }
    }

    private async Task<WriteContentResponse> AnswerAsync(UploadMessage message)
    {
        WriteContentRequest request = message.Request;
        switch (request.Action)
        {
            case WriteAction.Stat:
                return ToWire(request.Action, await tree.AskAsync(new IngestCommands.GetState(_namespace, _reference), context.CancellationToken).ConfigureAwait(false));
            case WriteAction.Write:
                return ToWire(request.Action, await WriteAsync(message).ConfigureAwait(false));
            case WriteAction.Commit:
                if (message.Data.Length > 0)
                {
                    await WriteAsync(message).ConfigureAwait(false);
                }

                CommittedContent committed = await tree.AskAsync(
                    new IngestCommands.Commit(_namespace, _reference, _total, _expected, request.Labels.ToLabels(), _caller) { Offset = message.Data.Length > 0 ? 0 : request.Offset },
                    context.CancellationToken)
                    .ConfigureAwait(false);
                return new WriteContentResponse { Action = request.Action, Offset = committed.Size, Total = _total, Digest = committed.Digest.ToString() };
            default:
                throw new RefusedException(Error.Invalid($"unknown write action {(int)request.Action}"));
        }
    }

    // The lane reads the bytes before the answer comes, and the message lives until then: they need no copy.
    private Task<IngestState> WriteAsync(UploadMessage message) => tree.AskAsync(
        new IngestCommands.Write(_namespace, _reference, message.Request.Offset, message.Data), context.CancellationToken);

    private static WriteContentResponse ToWire(WriteAction action, IngestState state) => new()
    {
        Action = action,
        Offset = state.Offset,
        Total = state.Total,
        Digest = state.Digest.ToString(),
        StartedAt = Timestamp.FromDateTimeOffset(state.StartedAt),
        UpdatedAt = Timestamp.FromDateTimeOffset(state.UpdatedAt),
    };
}
