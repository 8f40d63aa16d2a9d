// SPDX-License-Identifier: Apache-2.0

using System.Threading.Channels;
using Grpc.Core;

namespace Containerd.Actors.Grpc.Tests.Events;

/// <summary>The client's side of a stream: holds what was written, and takes nothing while it is shut.</summary>
internal sealed class StreamOf<T> : IServerStreamWriter<T>
{
    private readonly Channel<T> _written = Channel.CreateUnbounded<T>();
    private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public StreamOf(bool isShut = false)
    {
        if (!isShut)
        {
            _open.SetResult();
        }
    }

    public WriteOptions? WriteOptions { get; set; }

    public void Open() => _open.SetResult();

    /// <summary>The next messages, waited for.</summary>
    public async Task<List<T>> TakeAsync(int count)
    {
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(20));
        List<T> taken = [];
        while (taken.Count < count)
        {
            taken.Add(await _written.Reader.ReadAsync(patience.Token));
        }

        return taken;
    }

    /// <summary>What has been written and not been taken.</summary>
    public int Waiting => _written.Reader.Count;

    public Task WriteAsync(T message) => WriteAsync(message, CancellationToken.None);

    public async Task WriteAsync(T message, CancellationToken cancellationToken)
    {
        await _open.Task.WaitAsync(cancellationToken);
        await _written.Writer.WriteAsync(message, cancellationToken);
    }
}
