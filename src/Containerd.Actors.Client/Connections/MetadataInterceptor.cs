// SPDX-License-Identifier: Apache-2.0

using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Containerd.Actors.Client.Connections;

/// <summary>Puts containerd's namespace and lease into the metadata of every call that does not carry them already.</summary>
internal sealed class MetadataInterceptor(string name, string? lease) : Interceptor
{
    internal const string NamespaceKey = "containerd-namespace";
    internal const string LeaseKey = "containerd-lease";

    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        TRequest request,
        ClientInterceptorContext<TRequest, TResponse> context,
        AsyncUnaryCallContinuation<TRequest, TResponse> continuation) => continuation(request, Marked(context));

    public override TResponse BlockingUnaryCall<TRequest, TResponse>(
        TRequest request,
        ClientInterceptorContext<TRequest, TResponse> context,
        BlockingUnaryCallContinuation<TRequest, TResponse> continuation) => continuation(request, Marked(context));

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        TRequest request,
        ClientInterceptorContext<TRequest, TResponse> context,
        AsyncServerStreamingCallContinuation<TRequest, TResponse> continuation) => continuation(request, Marked(context));

    public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
        ClientInterceptorContext<TRequest, TResponse> context,
        AsyncClientStreamingCallContinuation<TRequest, TResponse> continuation) => continuation(Marked(context));

    public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
        ClientInterceptorContext<TRequest, TResponse> context,
        AsyncDuplexStreamingCallContinuation<TRequest, TResponse> continuation) => continuation(Marked(context));

    /// <summary>The metadata a call goes out with: what it came with, completed.</summary>
    internal Metadata Complete(Metadata? given)
    {
        var headers = new Metadata();
        foreach (Metadata.Entry entry in given ?? [])
        {
            headers.Add(entry);
        }

        if (headers.Get(NamespaceKey) is null)
        {
            headers.Add(NamespaceKey, name);
        }

        if (lease is not null && headers.Get(LeaseKey) is null)
        {
            headers.Add(LeaseKey, lease);
        }

        return headers;
    }

    private ClientInterceptorContext<TRequest, TResponse> Marked<TRequest, TResponse>(
        ClientInterceptorContext<TRequest, TResponse> context)
        where TRequest : class
        where TResponse : class =>
        new(context.Method, context.Host, context.Options.WithHeaders(Complete(context.Options.Headers)));
}
