// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Ttrpc.Frames;
using Containerd.Actors.Ttrpc.Tests.Frames;
using Containerd.Ttrpc;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Containerd.Actors.Ttrpc.Tests;

/// <summary>The checks of a server, one by one, against frames made by hand.</summary>
public sealed class TtrpcServerSpecs : IAsyncLifetime
{
    private readonly TaskCompletionSource _release = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TtrpcServer _server = null!;
    private Stream _wire = null!;

    public async Task InitializeAsync()
    {
        _server = new TtrpcServer(new TtrpcHandlers()
            .Add("test.Echo", "Echo", (_, payload) => Task.FromResult(payload))
            .Add("test.Echo", "Typed", StringValue.Parser, (_, value) => Task.FromResult(value))
            .Add("test.Echo", "Fail", (_, _) => throw new TtrpcStatusException(TtrpcCode.NotFound, "no such thing"))
            .Add("test.Echo", "Large", (_, _) => Task.FromResult(ByteString.CopyFrom(new byte[FrameHeader.LengthMax + 1])))
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
            }));
        (_wire, var served) = await SocketPair.MakeAsync();
        _ = _server.ServeAsync(served);
    }

    public async Task DisposeAsync()
    {
        _release.TrySetResult();
        await _wire.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task An_even_stream_is_refused()
    {
        await CallAsync(2, "test.Echo", "Echo");
        await ExpectAsync(2, TtrpcCode.InvalidArgument, "StreamID must be odd for client initiated streams");
    }

    [Theory]
    [InlineData(5u)]
    [InlineData(3u)]
    public async Task A_stream_that_does_not_rise_is_refused(uint second)
    {
        await CallAsync(5, "test.Echo", "Echo");
        Assert.Null((await ResponseAsync(5)).Status);
        await CallAsync(second, "test.Echo", "Echo");
        await ExpectAsync(second, TtrpcCode.InvalidArgument, "StreamID cannot be re-used and must increment");
    }

    [Fact]
    public async Task A_request_that_is_no_message_is_refused()
    {
        await SendAsync(1, FrameType.Request, FrameFlags.None, [0xff, 0xff, 0xff]);
        await ExpectAsync(1, TtrpcCode.InvalidArgument, "unmarshal request error: ");
    }

    [Fact]
    public async Task Data_on_an_unknown_stream_is_refused()
    {
        await SendAsync(7, FrameType.Data, FrameFlags.None, [1]);
        await ExpectAsync(7, TtrpcCode.InvalidArgument, "StreamID is no longer active");
    }

    [Fact]
    public async Task An_unknown_service_is_named()
    {
        await CallAsync(1, "test.Other", "Echo");
        await ExpectAsync(1, TtrpcCode.Unimplemented, "service test.Other");
    }

    [Fact]
    public async Task An_unknown_method_is_named()
    {
        await CallAsync(1, "test.Echo", "Other");
        await ExpectAsync(1, TtrpcCode.Unimplemented, "method Other");
    }

    [Fact]
    public async Task A_payload_that_is_no_message_is_refused()
    {
        await CallAsync(1, "test.Echo", "Typed", payload: [0xff, 0xff]);
        await ExpectAsync(1, TtrpcCode.Internal, "ttrpc: error unmarshalling payload: ");
    }

    [Fact]
    public async Task An_oversized_frame_is_refused_and_the_connection_stays()
    {
        await SendAsync(1, FrameType.Request, FrameFlags.None, new byte[FrameHeader.LengthMax + 1]);
        await ExpectAsync(1, TtrpcCode.ResourceExhausted, "message length 4194305 exceed maximum message size of 4194304");
        await CallAsync(3, "test.Echo", "Echo", payload: [9]);
        Assert.Equal([9], (await ResponseAsync(3)).Payload.ToByteArray());
    }

    [Fact]
    public async Task An_oversized_answer_is_an_error_of_its_call()
    {
        await CallAsync(1, "test.Echo", "Large");
        await ExpectAsync(1, TtrpcCode.ResourceExhausted, "message length ");
    }

    [Fact]
    public async Task An_unknown_type_of_frame_is_ignored()
    {
        await SendAsync(1, (FrameType)9, FrameFlags.None, [1, 2]);
        await CallAsync(1, "test.Echo", "Echo", payload: [4]);
        Assert.Equal([4], (await ResponseAsync(1)).Payload.ToByteArray());
    }

    [Fact]
    public async Task A_status_of_a_handler_is_answered_as_it_is()
    {
        await CallAsync(1, "test.Echo", "Fail");
        await ExpectAsync(1, TtrpcCode.NotFound, "no such thing");
    }

    [Fact]
    public async Task The_callers_timeout_ends_the_handler()
    {
        await CallAsync(1, "test.Echo", "Slow", timeoutNano: 1_000_000);
        await ExpectAsync(1, TtrpcCode.DeadlineExceeded, "context deadline exceeded");
    }

    [Fact]
    public async Task A_closing_frame_with_data_is_refused_after_the_data_was_taken()
    {
        await CallAsync(1, "test.Echo", "Stream", FrameFlags.RemoteOpen);
        await SendAsync(1, FrameType.Data, FrameFlags.RemoteClosed, [1]);
        while (true)
        {
            var (header, data) = await ReadAsync();
            if (header.Type == FrameType.Response)
            {
                Assert.Equal("data close message cannot include data", Response.Parser.ParseFrom(data).Status.Message);
                return;
            }
        }
    }

    [Fact]
    public async Task A_stream_ends_with_a_closing_frame_without_data()
    {
        await CallAsync(1, "test.Echo", "Stream", FrameFlags.RemoteOpen);
        await SendAsync(1, FrameType.Data, FrameFlags.None, []);
        await SendAsync(1, FrameType.Data, FrameFlags.RemoteClosed | FrameFlags.NoData, []);
        Assert.Equal(new FrameHeader(0, 1, FrameType.Data, FrameFlags.None), (await ReadAsync()).Header);
        Assert.Equal(new FrameHeader(0, 1, FrameType.Data, (FrameFlags)5), (await ReadAsync()).Header);
        await SendAsync(1, FrameType.Data, FrameFlags.None, [1]);
        await ExpectAsync(1, TtrpcCode.InvalidArgument, "StreamID is no longer active");
    }

    private Task CallAsync(
        uint id, string service, string method, FrameFlags flags = FrameFlags.None, byte[]? payload = null, long timeoutNano = 0) =>
        SendAsync(id, FrameType.Request, flags, new Request
        {
            Service = service,
            Method = method,
            Payload = ByteString.CopyFrom(payload ?? []),
            TimeoutNano = timeoutNano,
        }.ToByteArray());

    private async Task SendAsync(uint id, FrameType type, FrameFlags flags, byte[] data) =>
        await _wire.WriteAsync(FrameDecoderSpecs.Encode(new FrameHeader((uint)data.Length, id, type, flags), data));

    private async Task<(FrameHeader Header, byte[] Data)> ReadAsync()
    {
        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var head = new byte[FrameHeader.Size];
        await _wire.ReadExactlyAsync(head, bound.Token);
        var header = FrameHeader.Read(head);
        var data = new byte[header.Length];
        await _wire.ReadExactlyAsync(data, bound.Token);
        return (header, data);
    }

    private async Task<Response> ResponseAsync(uint id)
    {
        var (header, data) = await ReadAsync();
        Assert.Equal((id, FrameType.Response, FrameFlags.None), (header.StreamId, header.Type, header.Flags));
        return Response.Parser.ParseFrom(data);
    }

    private async Task ExpectAsync(uint id, TtrpcCode code, string start)
    {
        var status = (await ResponseAsync(id)).Status;
        Assert.Equal((int)code, status.Code);
        Assert.StartsWith(start, status.Message, StringComparison.Ordinal);
    }
}
