// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Protocol.Errors;
using Google.Protobuf;

namespace Containerd.Actors.Shims.Connections;

/// <summary>Calls to one shim, in whichever protocol it speaks. Any number at a time, from any thread; a client never reconnects.</summary>
public interface IShimClient : IAsyncDisposable
{
    /// <summary>Completes, always without an error, when the connection has ended for whatever reason.</summary>
    Task Closed { get; }

    /// <summary>A unary call; the namespace of the task goes with it.</summary>
    /// <param name="service">Service as <c>package.Service</c>.</param>
    /// <param name="method">Bare name of the method.</param>
    /// <param name="request">The request.</param>
    /// <param name="parser">Reads the response.</param>
    /// <param name="timeout">How long to wait; sent along, so that the shim gives up too. None if null.</param>
    /// <param name="cancellation">Abandons the call.</param>
    /// <exception cref="RefusedException">The shim's own text; also when the time is up.</exception>
    /// <exception cref="ShimClosedException">The connection ended; whether the call was carried out is unknown.</exception>
    Task<TResponse> CallAsync<TRequest, TResponse>(
        string service, string method, TRequest request, MessageParser<TResponse> parser, TimeSpan? timeout, CancellationToken cancellation)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage<TResponse>;
}
