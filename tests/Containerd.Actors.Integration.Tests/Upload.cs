// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Client.Connections;
using Containerd.Services.Content.V1;
using Google.Protobuf;
using Grpc.Core;

namespace Containerd.Actors.Integration.Tests;

/// <summary>One stream of Content.Write, as a client holds it.</summary>
internal sealed class Upload(ContainerdConnection connection) : IDisposable
{
    private readonly AsyncDuplexStreamingCall<WriteContentRequest, WriteContentResponse> _call = connection.Content.Write();

    /// <summary>One request, one answer.</summary>
    public async Task<WriteContentResponse> SendAsync(WriteContentRequest request)
    {
        try
        {
            await _call.RequestStream.WriteAsync(request);
        }
        catch (RpcException)
        {
            // The server ended the call; what it said is read below.
        }

        Assert.True(await _call.ResponseStream.MoveNext(CancellationToken.None), "the stream ended without an answer");
        return _call.ResponseStream.Current;
    }

    /// <summary>Nothing more is sent; the server ends the stream with success.</summary>
    public async Task EndAsync()
    {
        await _call.RequestStream.CompleteAsync();
        Assert.False(await _call.ResponseStream.MoveNext(CancellationToken.None));
    }

    public void Dispose() => _call.Dispose();

    /// <summary>Stores bytes under a reference of their own.</summary>
    public static async Task<string> StoreAsync(ContainerdConnection connection, ReadOnlyMemory<byte> bytes, params (string Name, string Value)[] labels)
    {
        using Upload upload = new(connection);
        WriteContentRequest commit = new() { Ref = $"store-{Guid.NewGuid():N}", Action = WriteAction.Commit, Data = ByteString.CopyFrom(bytes.Span) };
        foreach ((string name, string value) in labels)
        {
            commit.Labels[name] = value;
        }

        return (await upload.SendAsync(commit)).Digest;
    }
}
