// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Protocol.Errors;
using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Containerd.Actors.Grpc.Calls;

/// <summary>Turns refusals that leave a service into gRPC statuses, so that services only ever throw or return.</summary>
public sealed class ErrorInterceptor : Interceptor
{
    /// <inheritdoc />
    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            return await continuation(request, context).ConfigureAwait(false);
        }
        catch (RefusedException refused)
        {
            throw refused.Error.ToRpcException();
        }
    }

    /// <inheritdoc />
    public override Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation) =>
        TranslateAsync(continuation(request, responseStream, context));

    /// <inheritdoc />
    public override Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, DuplexStreamingServerMethod<TRequest, TResponse> continuation) =>
        TranslateAsync(continuation(requestStream, responseStream, context));

    private static async Task TranslateAsync(Task call)
    {
        try
        {
            await call.ConfigureAwait(false);
        }
        catch (RefusedException refused)
        {
            throw refused.Error.ToRpcException();
        }
    }
}
