// SPDX-License-Identifier: Apache-2.0

using Containerd.Services.Content.V1;
using Grpc.Core;

namespace Containerd.Actors.Grpc.Content;

/// <summary>Binds the content service as generated, but for <c>Write</c>, whose requests are read as <see cref="UploadMessage"/>.</summary>
internal sealed class UploadBinder(ServiceBinderBase binder) : ServiceBinderBase
{
    public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse>? handler) =>
        binder.AddMethod(method, handler);

    public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, ClientStreamingServerMethod<TRequest, TResponse>? handler) =>
        binder.AddMethod(method, handler);

    public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse>? handler) =>
        binder.AddMethod(method, handler);

    public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse>? handler)
    {
        if (method is Method<WriteContentRequest, WriteContentResponse> write)
        {
            Method<UploadMessage, WriteContentResponse> upload = new(
                write.Type, write.ServiceName, write.Name, UploadMessage.Marshaller, write.ResponseMarshaller);
            binder.AddMethod(upload, (DuplexStreamingServerMethod<UploadMessage, WriteContentResponse>?)null);
        }
        else
        {
            binder.AddMethod(method, handler);
        }
    }
}
