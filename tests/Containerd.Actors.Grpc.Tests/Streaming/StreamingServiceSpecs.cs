// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Leases;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Grpc.Streaming;
using Containerd.Actors.Grpc.Tests.Calls;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Values;
using Containerd.Types.Transfer;
using Google.Protobuf.WellKnownTypes;

namespace Containerd.Actors.Grpc.Tests.Streaming;

public sealed class StreamingServiceSpecs : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly LiveStreams _streams = new();
    private readonly ScriptedTree _tree = new(_ => Reply.Done(new NamespaceState("default")
    {
        Leases = ImmutableSortedDictionary<string, LeaseRecord>.Empty.Add("mine", new LeaseRecord("mine", Labels.None, default, [])),
    }));

    public void Dispose() => _tree.Dispose();

    [Fact]
    public async Task A_stream_is_found_once_its_client_was_told_and_ends_with_success_when_closed()
    {
        using FakeClient client = await FakeClient.OpenAsync(_streams, _tree.Tree, "progress-1");
        LiveStream stream = _streams.Get("default", "progress-1");
        await stream.SendAsync(new Progress { Event = "one" }, default);
        Assert.Equal("one", (await client.ReceiveAsync(Progress.Parser)).Event);
        Assert.False(client.Call.IsCompleted);

        stream.Close();
        await client.Call.WaitAsync(Patience);
        Assert.Equal(0, _streams.Count);
        RefusedException refused = await Assert.ThrowsAsync<RefusedException>(() => stream.SendAsync(new Progress(), default));
        Assert.Equal("stream \"progress-1\" has ended: unavailable", refused.Error.Text);
    }

    [Fact]
    public async Task An_id_in_use_is_refused_and_free_again_afterwards()
    {
        using FakeClient client = await FakeClient.OpenAsync(_streams, _tree.Tree, "s");
        using FakeClient second = FakeClient.Start(_streams, _tree.Tree, "s");
        Assert.Equal("stream \"s\": already exists", (await Assert.ThrowsAsync<RefusedException>(() => second.Call)).Error.Text);
        Assert.NotNull(_streams.Get("default", "s"));

        client.HangUp();
        await client.Call.WaitAsync(Patience);
        using FakeClient third = await FakeClient.OpenAsync(_streams, _tree.Tree, "s");
    }

    [Fact]
    public async Task The_same_id_in_another_namespace_or_in_none_is_another_stream()
    {
        using FakeClient one = await FakeClient.OpenAsync(_streams, _tree.Tree, "s");
        using FakeClient two = await FakeClient.OpenAsync(_streams, _tree.Tree, "s", "other");
        using FakeClient three = await FakeClient.OpenAsync(_streams, _tree.Tree, "s", "");
        Assert.Equal(3, _streams.Count);
    }

    [Fact]
    public void A_stream_that_nobody_registered_is_not_found() =>
        Assert.Equal("stream \"x\": not found", Assert.Throws<RefusedException>(() => _streams.Get("default", "x")).Error.Text);

    [Fact]
    public async Task A_lease_that_does_not_exist_is_refused()
    {
        using FakeClient client = FakeClient.Start(_streams, _tree.Tree, "s", lease: "theirs");
        Assert.Equal("lease does not exist: not found", (await Assert.ThrowsAsync<RefusedException>(() => client.Call)).Error.Text);
        using FakeClient other = FakeClient.Start(_streams, _tree.Tree, "s", lease: "mine");
        await other.ReceiveAsync(Empty.Parser);
    }

    [Fact]
    public async Task A_message_of_another_type_than_expected_is_refused()
    {
        using FakeClient client = FakeClient.Start(_streams, _tree.Tree, "");
        await client.ReceiveAsync(Empty.Parser);
        client.SendRaw(new Any { TypeUrl = "type.googleapis.com/containerd.types.transfer.Progress" });
        RefusedException refused = await Assert.ThrowsAsync<RefusedException>(() => _streams.Get("default", "").ReceiveAsync(AuthResponse.Parser, default));
        Assert.StartsWith("message of type type.googleapis.com/containerd.types.transfer.Progress where ", refused.Error.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_that_hangs_up_ends_whoever_waits_for_it()
    {
        using FakeClient client = await FakeClient.OpenAsync(_streams, _tree.Tree, "s");
        Task<Any?> waiting = _streams.Get("default", "s").ReceiveAsync(default);
        client.HangUp();
        Assert.Equal(ErrorKind.Unavailable, (await Assert.ThrowsAsync<RefusedException>(() => waiting.WaitAsync(Patience))).Error.Kind);
        await client.Call.WaitAsync(Patience);
    }
}
