// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Ttrpc.Frames;
using Containerd.Actors.Ttrpc.Tests.Frames;
using Google.Protobuf;

namespace Containerd.Actors.Ttrpc.Tests;

public sealed class TtrpcClientSpecs : IAsyncLifetime
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);
    private readonly TaskCompletionSource _release = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TtrpcServer _server;
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("ttrpc-");

    public TtrpcClientSpecs()
    {
        _server = new TtrpcServer(Handlers());
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        _release.TrySetResult();
        await _server.DisposeAsync();
        _directory.Delete(recursive: true);
    }

    [Fact]
    public async Task A_thousand_calls_at_a_time_each_get_their_own_answer()
    {
        await using var client = await ConnectAsync();
        var calls = Enumerable.Range(0, 1000).Select(async i =>
        {
            var payload = ByteString.CopyFrom(BitConverter.GetBytes(i));
            Assert.Equal(payload, await client.CallAsync("test.Echo", "Shuffled", payload, Soon));
        });
        await Task.WhenAll(calls).WaitAsync(Soon);
    }

    [Fact]
    public async Task Metadata_arrive()
    {
        await using var client = await ConnectAsync();
        var answer = await client.CallAsync("test.Echo", "Meta", ByteString.Empty, Soon, [new("containerd-namespace-ttrpc", "k8s.io")]);
        Assert.Equal("k8s.io", answer.ToStringUtf8());
    }

    [Fact]
    public async Task A_call_past_its_time_is_abandoned_and_the_connection_goes_on()
    {
        await using var client = await ConnectAsync();
        var late = await Assert.ThrowsAsync<TtrpcStatusException>(() =>
            client.CallAsync("test.Echo", "Slow", ByteString.Empty, TimeSpan.FromMilliseconds(20)));
        Assert.Equal(TtrpcCode.DeadlineExceeded, late.Code);
        _release.SetResult();
        Assert.Equal(ByteString.CopyFrom(1), await client.CallAsync("test.Echo", "Echo", ByteString.CopyFrom(1), Soon));
    }

    [Fact]
    public async Task A_cancelled_call_is_abandoned()
    {
        await using var client = await ConnectAsync();
        using var cancel = new CancellationTokenSource();
        var call = client.CallAsync("test.Echo", "Slow", ByteString.Empty, cancellation: cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
    }

    [Fact]
    public async Task The_end_of_the_connection_fails_pending_and_later_calls()
    {
        var (near, far) = await SocketPair.MakeAsync();
        await using var client = new TtrpcClient(near);
        var pending = client.CallAsync("test.Echo", "Echo", ByteString.Empty);
        await far.DisposeAsync();
        await Assert.ThrowsAsync<TtrpcClosedException>(() => pending.WaitAsync(Soon));
        await client.Closed.WaitAsync(Soon);
        await Assert.ThrowsAsync<TtrpcClosedException>(() => client.CallAsync("test.Echo", "Echo", ByteString.Empty));
    }

    [Fact]
    public async Task Garbage_and_truncation_end_in_closed_and_nothing_worse()
    {
        var (near, far) = await SocketPair.MakeAsync();
        await using var client = new TtrpcClient(near);
        var pending = client.CallAsync("test.Echo", "Echo", ByteString.Empty);
        await far.WriteAsync(FrameDecoderSpecs.Encode(new FrameHeader(3, 99, FrameType.Response, FrameFlags.None), [1, 2, 3]));
        await far.WriteAsync(new byte[] { 0, 0, 1 });
        await far.DisposeAsync();
        await Assert.ThrowsAsync<TtrpcClosedException>(() => pending.WaitAsync(Soon));
    }

    [Fact]
    public async Task A_request_too_long_fails_before_anything_is_written()
    {
        await using var client = await ConnectAsync();
        var refused = await Assert.ThrowsAsync<TtrpcStatusException>(() =>
            client.CallAsync("test.Echo", "Echo", ByteString.CopyFrom(new byte[FrameHeader.LengthMax])));
        Assert.Equal(TtrpcCode.ResourceExhausted, refused.Code);
        await client.CallAsync("test.Echo", "Echo", ByteString.Empty, Soon);
    }

    [Fact]
    public async Task A_stream_nobody_reads_does_not_hold_up_others()
    {
        await using var client = await ConnectAsync();
        using var unread = await client.OpenServerStreamAsync("test.Echo", "Flood", ByteString.Empty);
        for (var i = 0; i < 50; i++)
        {
            await client.CallAsync("test.Echo", "Echo", ByteString.Empty, Soon);
        }

        var lost = await Assert.ThrowsAsync<TtrpcStatusException>(async () =>
        {
            while (await unread.ReceiveAsync().AsTask().WaitAsync(Soon) is not null)
            {
            }
        });
        Assert.Equal(TtrpcCode.ResourceExhausted, lost.Code);
    }

    [Fact]
    public async Task Both_ends_of_a_stream_talk_and_close()
    {
        await using var client = await ConnectAsync();
        using var stream = await client.OpenStreamAsync("test.Echo", "Stream");
        await stream.SendAsync(new byte[] { 1 });
        await stream.SendAsync(ReadOnlyMemory<byte>.Empty);
        var first = await stream.ReceiveAsync().AsTask().WaitAsync(Soon);
        var empty = await stream.ReceiveAsync().AsTask().WaitAsync(Soon);
        Assert.Equal(new byte[] { 1 }, first!);
        Assert.Empty(empty!);
        await stream.CloseSendAsync();
        Assert.Null(await stream.ReceiveAsync().AsTask().WaitAsync(Soon));
    }

    [Fact]
    public async Task A_graceful_stop_lets_a_running_call_finish()
    {
        await using var client = await ConnectAsync();
        var call = client.CallAsync("test.Echo", "Slow", ByteString.CopyFrom(7));
        await client.CallAsync("test.Echo", "Echo", ByteString.Empty, Soon);
        var stopping = _server.StopAsync();
        _release.SetResult();
        Assert.Equal(ByteString.CopyFrom(7), await call.WaitAsync(Soon));
        await stopping.WaitAsync(Soon);
        await client.Closed.WaitAsync(Soon);
    }

    [Fact]
    public async Task A_peer_that_is_not_admitted_is_closed_without_a_frame()
    {
        await using var server = new TtrpcServer(Handlers(), admits: _ => false);
        var path = Path.Combine(_directory.FullName, "closed");
        server.Listen(path);
        await using var client = await TtrpcClient.ConnectAsync(path);
        await client.Closed.WaitAsync(Soon);
    }

    [Fact]
    public async Task A_socket_file_left_by_the_dead_is_replaced_and_its_mode_set()
    {
        var path = Path.Combine(_directory.FullName, "stale");
        using (var dead = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, 0))
        {
            dead.Bind(new System.Net.Sockets.UnixDomainSocketEndPoint(path + "x"));
            File.Move(path + "x", path);
        }

        await using var server = new TtrpcServer(Handlers());
        server.Listen(path);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        await using var client = await TtrpcClient.ConnectAsync("unix://" + path);
        await client.CallAsync("test.Echo", "Echo", ByteString.Empty, Soon);
    }

    private TtrpcHandlers Handlers() => new TtrpcHandlers()
        .Add("test.Echo", "Echo", (_, payload) => Task.FromResult(payload))
        .Add("test.Echo", "Shuffled", async (_, payload) =>
        {
            for (int turn = payload[0] % 7; turn > 0; turn--)
            {
                await Task.Yield();
            }

            return payload;
        })
        .Add("test.Echo", "Meta", (call, _) => Task.FromResult(ByteString.CopyFromUtf8(call["containerd-namespace-ttrpc"] ?? "")))
        .Add("test.Echo", "Slow", async (call, payload) =>
        {
            await _release.Task.WaitAsync(call.Cancellation);
            return payload;
        })
        .AddStream("test.Echo", "Stream", async (call, stream) =>
        {
            while (await stream.ReceiveAsync(call.Cancellation) is { } message)
            {
                await stream.SendAsync(message, call.Cancellation);
            }
        })
        .AddStream("test.Echo", "Flood", async (call, stream) =>
        {
            for (var i = 0; i < 10_000; i++)
            {
                await stream.SendAsync(new byte[16], call.Cancellation);
            }
        });

    private async Task<TtrpcClient> ConnectAsync()
    {
        var (near, far) = await SocketPair.MakeAsync();
        _ = _server.ServeAsync(far);
        return new TtrpcClient(near);
    }
}
