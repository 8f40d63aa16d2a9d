// SPDX-License-Identifier: Apache-2.0

using System.Security.Cryptography;
using Containerd.Actors.Client.Connections;
using Containerd.Actors.Client.Values;
using Containerd.Services.Streaming.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Containerd.Actors.Client.Transfers;

/// <summary>One stream that a call of Transfer refers to by its id.</summary>
/// <remarks>Disposing it ends the call. One reader and one writer at a time.</remarks>
public sealed class ClientStream : IDisposable
{
    private readonly AsyncDuplexStreamingCall<Any, Any> _call;

    private ClientStream(AsyncDuplexStreamingCall<Any, Any> call, string id) => (_call, Id) = (call, id);

    /// <summary>The name under which the daemon knows it.</summary>
    public string Id { get; }

    /// <summary>Opens a stream and waits until the daemon knows it.</summary>
    /// <param name="connection">The daemon.</param>
    /// <param name="kind">First part of the id, for whoever reads it in a log.</param>
    /// <param name="cancellation">Ends the stream.</param>
    /// <exception cref="RpcException">The daemon refused it, or does not serve streams.</exception>
    public static async Task<ClientStream> OpenAsync(ContainerdConnection connection, string kind, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(connection);
        string id = $"{kind}-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))}";
        var stream = new ClientStream(connection.Streaming.Stream(cancellationToken: cancellation), id);
        try
        {
            await stream.SendAsync(new StreamInit { Id = id }).ConfigureAwait(false);
            return await stream._call.ResponseStream.MoveNext(cancellation).ConfigureAwait(false)
                ? stream
                : throw new RpcException(new Status(StatusCode.Unavailable, $"stream \"{id}\" ended at once"));
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>Sends one message.</summary>
    public Task SendAsync(IMessage message) => _call.RequestStream.WriteAsync(TypedAny.Of(message));

    /// <summary>Sends one message unless the daemon has ended the stream: what it ended with is for the reader to find.</summary>
    /// <returns>False where the message is lost.</returns>
    public async Task<bool> TrySendAsync(IMessage message, CancellationToken cancellation)
    {
        try
        {
            await SendAsync(message).ConfigureAwait(false);
            return true;
        }
        catch (Exception lost) when (lost is RpcException or InvalidOperationException or IOException or OperationCanceledException)
        {
            cancellation.ThrowIfCancellationRequested();
            return false;
        }
    }

    /// <summary>Says that no more will come.</summary>
    public Task CompleteAsync() => _call.RequestStream.CompleteAsync();

    /// <summary>The next message, which must be of this type; null when the daemon has ended the stream.</summary>
    /// <exception cref="InvalidDataException">It is of another type.</exception>
    public async Task<TMessage?> ReceiveAsync<TMessage>(MessageParser<TMessage> parser, CancellationToken cancellation)
        where TMessage : class, IMessage<TMessage>, new()
    {
        if (!await _call.ResponseStream.MoveNext(cancellation).ConfigureAwait(false))
        {
            return null;
        }

        return TypedAny.TryRead(_call.ResponseStream.Current, parser, out TMessage? message)
            ? message
            : throw new InvalidDataException($"stream \"{Id}\": unexpected {_call.ResponseStream.Current.TypeUrl}");
    }

    /// <inheritdoc />
    public void Dispose() => _call.Dispose();
}
