// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Ttrpc;
using Google.Protobuf;

namespace Containerd.Actors.Shims.Connections;

/// <summary>A shim that speaks ttrpc, as nearly all do.</summary>
/// <param name="client">Connected; owned from here on.</param>
/// <param name="ns">Namespace of the task.</param>
/// <param name="id">The task.</param>
internal sealed class TtrpcShimClient(TtrpcClient client, string ns, string id) : IShimClient
{
    private const string NamespaceKey = "containerd-namespace-ttrpc";

    private readonly KeyValuePair<string, string>[] _metadata = [new(NamespaceKey, ns)];

    public Task Closed => client.Closed;

    public async Task<TResponse> CallAsync<TRequest, TResponse>(
        string service, string method, TRequest request, MessageParser<TResponse> parser, TimeSpan? timeout, CancellationToken cancellation)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage<TResponse>
    {
        try
        {
            return await client.CallAsync(service, method, request, parser, timeout, _metadata, cancellation).ConfigureAwait(false);
        }
        catch (TtrpcStatusException refused)
        {
            throw new RefusedException(ShimErrors.Of((int)refused.Code, refused.Message), refused);
        }
        catch (TtrpcClosedException closed)
        {
            throw new ShimClosedException(id, closed);
        }
    }

    public ValueTask DisposeAsync() => client.DisposeAsync();
}
