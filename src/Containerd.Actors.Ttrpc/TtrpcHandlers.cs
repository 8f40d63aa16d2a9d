// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Containerd.Ttrpc;
using Google.Protobuf;

namespace Containerd.Actors.Ttrpc;

/// <summary>What a handler knows about the call it serves.</summary>
/// <param name="Service">The service asked for.</param>
/// <param name="Method">The method asked for.</param>
/// <param name="Metadata">Pairs sent along, in order; a key may occur several times.</param>
/// <param name="Cancellation">Cancelled when the connection ends or the caller's timeout has passed.</param>
public sealed record TtrpcCall(
    string Service, string Method, IReadOnlyList<KeyValue> Metadata, CancellationToken Cancellation)
{
    /// <summary>The first value of a key in lower case, or null.</summary>
    public string? this[string key] => Metadata.FirstOrDefault(pair => pair.Key == key)?.Value;
}

/// <summary>Answers a unary call; a <see cref="TtrpcStatusException"/> is answered as it is.</summary>
public delegate Task<ByteString> TtrpcUnaryHandler(TtrpcCall call, ByteString payload);

/// <summary>Serves a stream; the stream ends well when the returned task does.</summary>
public delegate Task TtrpcStreamHandler(TtrpcCall call, TtrpcStream stream);

/// <summary>The services of a server: a table from service and method to handler. What is added while the server runs is served from then on.</summary>
public sealed class TtrpcHandlers
{
    private readonly ConcurrentDictionary<string, ConcurrentDictionary<string, Delegate>> _services = new(StringComparer.Ordinal);

    /// <summary>What is served, as <c>service/method</c>.</summary>
    public IEnumerable<string> Methods => _services.SelectMany(service => service.Value.Keys.Select(method => $"{service.Key}/{method}"));

    /// <summary>Adds a unary method on bytes.</summary>
    public TtrpcHandlers Add(string service, string method, TtrpcUnaryHandler handler) => Put(service, method, handler);

    /// <summary>Adds a unary method on messages.</summary>
    public TtrpcHandlers Add<TRequest, TResponse>(
        string service, string method, MessageParser<TRequest> parser, Func<TtrpcCall, TRequest, Task<TResponse>> handler)
        where TRequest : IMessage<TRequest>
        where TResponse : IMessage<TResponse>
    {
        ArgumentNullException.ThrowIfNull(parser);
        ArgumentNullException.ThrowIfNull(handler);
        return Put(service, method, new TtrpcUnaryHandler(async (call, payload) =>
        {
            TRequest request;
            try
            {
                request = parser.ParseFrom(payload);
            }
            catch (InvalidProtocolBufferException wrong)
            {
                throw new TtrpcStatusException(TtrpcCode.Internal, $"ttrpc: error unmarshalling payload: {wrong.Message}");
            }

            return (await handler(call, request).ConfigureAwait(false)).ToByteString();
        }));
    }

    /// <summary>Adds a streaming method; the payload of a server-streaming request is the stream's first message.</summary>
    public TtrpcHandlers AddStream(string service, string method, TtrpcStreamHandler handler) => Put(service, method, handler);

    internal bool HasService(string service) => _services.ContainsKey(service);

    internal bool TryGet(string service, string method, [NotNullWhen(true)] out Delegate? handler)
    {
        handler = null;
        return _services.TryGetValue(service, out var methods) && methods.TryGetValue(method, out handler);
    }

    private TtrpcHandlers Put(string service, string method, Delegate handler)
    {
        var methods = _services.GetOrAdd(service, _ => new ConcurrentDictionary<string, Delegate>(StringComparer.Ordinal));
        return methods.TryAdd(method, handler) ? this : throw new ArgumentException($"{service}/{method} is there already", nameof(method));
    }
}
