// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using Containerd.Actors.Ttrpc;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Containerd.Actors.PodShim;

/// <summary>Passes unary gRPC calls on to a ttrpc server: both carry the same messages under the same names.</summary>
internal static class GrpcFace
{
    private const int PrefixBytes = 5;
    private const string NamespaceKey = "containerd-namespace";

    public static async Task<IAsyncDisposable> StartAsync(string socket, string ttrpcSocket)
    {
        TtrpcClient behind = await TtrpcClient.ConnectAsync(ttrpcSocket);
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenUnixSocket(socket, listen => listen.Protocols = HttpProtocols.Http2));
        WebApplication face = builder.Build();
        face.Run(context => PassAsync(context, behind));
        await face.StartAsync();
        return face;
    }

    private static async Task PassAsync(HttpContext context, TtrpcClient behind)
    {
        using MemoryStream body = new();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        string[] path = context.Request.Path.Value!.Split('/');
        context.Response.ContentType = "application/grpc";
        string status = "0";
        try
        {
            KeyValuePair<string, string>[] metadata = [new(NamespaceKey + "-ttrpc", context.Request.Headers[NamespaceKey].ToString())];
            ByteString request = ByteString.CopyFrom(body.ToArray().AsSpan(PrefixBytes));
            ByteString answer = await behind.CallAsync(path[1], path[2], request, null, metadata, context.RequestAborted);
            byte[] prefix = new byte[PrefixBytes];
            BinaryPrimitives.WriteInt32BigEndian(prefix.AsSpan(1), answer.Length);
            await context.Response.Body.WriteAsync(prefix);
            await context.Response.Body.WriteAsync(answer.Memory);
        }
        catch (TtrpcStatusException refused)
        {
            status = ((int)refused.Code).ToString(System.Globalization.CultureInfo.InvariantCulture);
            context.Response.AppendTrailer("grpc-message", Uri.EscapeDataString(refused.Message));
        }

        context.Response.AppendTrailer("grpc-status", status);
    }
}
