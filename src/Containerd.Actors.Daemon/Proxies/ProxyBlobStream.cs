// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Oci.Images;
using Containerd.Actors.Storage.Content;
using Containerd.Services.Content.V1;
using Grpc.Core;

namespace Containerd.Actors.Daemon.Proxies;

/// <summary>The bytes of a blob as a plugin sends them. Nothing is asked before the first read, which is what tells that there is no such blob.</summary>
internal sealed class ProxyBlobStream(ProxyConnection connection, Digest digest, long offset, ProxyBlobs blobs) : ReadStream
{
    private readonly CancellationTokenSource _step = new();
    private AsyncServerStreamingCall<ReadContentResponse>? _call;
    private ReadOnlyMemory<byte> _left;
    private long _read;
    private bool _ended;

    public override long Length => blobs.TrySize(digest) ?? throw ContentStore.Missing(digest);

    public override long Position
    {
        get => offset + _read;
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (_left.IsEmpty && !_ended && !buffer.IsEmpty)
        {
            await NextAsync(cancellationToken);
        }

        return Take(buffer.Span);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(Span<byte> buffer)
    {
        while (_left.IsEmpty && !_ended && !buffer.IsEmpty)
        {
            NextAsync(CancellationToken.None).GetAwaiter().GetResult();
        }

        return Take(buffer);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _call?.Dispose();
            _step.Dispose();
        }

        base.Dispose(disposing);
    }

    private async Task NextAsync(CancellationToken cancellationToken)
    {
        _call ??= connection.Client.Content.Read(
            new ReadContentRequest { Digest = digest.ToString(), Offset = offset }, ProxyConnection.Stream(ProxyBlobs.Namespace, _step));
        if (await connection.StepAsync(() => _call.ResponseStream.MoveNext(_step.Token), "Read", _step, cancellationToken))
        {
            _left = _call.ResponseStream.Current.Data.Memory;
        }
        else
        {
            _ended = true;
        }
    }

    private int Take(Span<byte> buffer)
    {
        int count = Math.Min(buffer.Length, _left.Length);
        _left.Span[..count].CopyTo(buffer);
        _left = _left[count..];
        _read += count;
        return count;
    }
}
