// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Grpc.Streaming;
using Containerd.Actors.Grpc.Tests.Calls;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Types.Transfer;
using Google.Protobuf;

namespace Containerd.Actors.Grpc.Tests.Streaming;

public sealed class ByteStreamSpecs : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly LiveStreams _streams = new();
    private readonly ScriptedTree _tree = new(_ => Reply.Done(new NamespaceState("default")));

    public void Dispose() => _tree.Dispose();

    [Fact]
    public async Task A_receiver_grants_a_window_and_grants_more_when_less_is_left()
    {
        using FakeClient client = await FakeClient.OpenAsync(_streams, _tree.Tree, "s");
        await using IncomingByteStream receiver = new(_streams.Get("default", "s"));
        byte[] bytes = Bytes(100_000);
        Task<byte[]> all = ReadAllAsync(receiver);
        long granted = 0;
        for (int sent = 0; sent < bytes.Length;)
        {
            while (granted == 0)
            {
                WindowUpdate grant = await client.ReceiveAsync(WindowUpdate.Parser);
                Assert.Equal(65536, grant.Update);
                granted += grant.Update;
            }

            int count = (int)Math.Min(Math.Min(granted, 10_000), bytes.Length - sent);
            client.Send(new Data { Data_ = ByteString.CopyFrom(bytes, sent, count) });
            sent += count;
            granted -= count;
        }

        client.CloseSend();
        Assert.Equal(bytes, await all.WaitAsync(Patience));

        await receiver.DisposeAsync();
        await client.Call.WaitAsync(Patience);
    }

    [Fact]
    public async Task A_client_that_sends_more_than_it_was_granted_is_refused()
    {
        using FakeClient client = await FakeClient.OpenAsync(_streams, _tree.Tree, "s");
        await using IncomingByteStream receiver = new(_streams.Get("default", "s"));
        client.Send(new Data { Data_ = ByteString.CopyFrom(Bytes(65537)) });
        RefusedException refused = await Assert.ThrowsAsync<RefusedException>(() => receiver.ReadAsync(new byte[10]).AsTask());
        Assert.Equal("stream \"s\": 1 bytes more than were granted: invalid argument", refused.Error.Text);
    }

    [Fact]
    public async Task Bytes_that_break_off_are_not_taken_for_all()
    {
        using FakeClient client = await FakeClient.OpenAsync(_streams, _tree.Tree, "s");
        await using IncomingByteStream receiver = new(_streams.Get("default", "s"));
        client.Send(new Data { Data_ = ByteString.CopyFrom(Bytes(10)) });
        byte[] buffer = new byte[20];
        Assert.Equal(10, await receiver.ReadAsync(buffer));
        client.HangUp();
        await Assert.ThrowsAsync<RefusedException>(() => receiver.ReadAsync(buffer).AsTask().WaitAsync(Patience));
    }

    [Fact]
    public async Task A_sender_waits_for_grants_and_sends_no_chunk_above_its_bound()
    {
        using FakeClient client = await FakeClient.OpenAsync(_streams, _tree.Tree, "s");
        OutgoingByteStream sender = new(_streams.Get("default", "s"));
        byte[] bytes = Bytes(100_000);
        Task sending = Task.Run(async () =>
        {
            await sender.WriteAsync(bytes);
            await sender.DisposeAsync();
        });
        using MemoryStream received = new();
        while (received.Length < bytes.Length)
        {
            client.Send(new WindowUpdate { Update = 40_000 });
            long until = Math.Min(received.Length + 40_000, bytes.Length);
            while (received.Length < until)
            {
                Data data = await client.ReceiveAsync(Data.Parser);
                Assert.InRange(data.Data_.Length, 1, 32768);
                data.Data_.WriteTo(received);
            }

            Assert.Equal(until, received.Length);
        }

        await sending.WaitAsync(Patience);
        Assert.Equal(bytes, received.ToArray());
        await client.Call.WaitAsync(Patience);
    }

    [Fact]
    public async Task A_reader_that_goes_away_ends_the_sender()
    {
        using FakeClient client = await FakeClient.OpenAsync(_streams, _tree.Tree, "s");
        await using OutgoingByteStream sender = new(_streams.Get("default", "s"));
        Task sending = sender.WriteAsync(Bytes(10)).AsTask();
        client.CloseSend();
        RefusedException refused = await Assert.ThrowsAsync<RefusedException>(() => sending.WaitAsync(Patience));
        Assert.Equal("stream \"s\": the reader went away: unavailable", refused.Error.Text);
    }

    private static byte[] Bytes(int count) => [.. Enumerable.Range(0, count).Select(i => (byte)(i * 31 / 7))];

    private static async Task<byte[]> ReadAllAsync(Stream stream)
    {
        using MemoryStream all = new();
        await stream.CopyToAsync(all);
        return all.ToArray();
    }
}
